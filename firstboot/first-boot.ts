// What a golden image does when it wakes up as a machine of its own: own SSH host keys, and the whole of its disk.

import type { Partition } from '../tasks/plan/disk-layout.ts'
import type { Step } from '../tasks/plan/step.ts'

export function firstBoot(partitions: readonly Partition[]): readonly Step[] {
  const growing = partitions.find(({ grow, content }) => grow && 'mount' in content)
  const mount = growing !== undefined && 'mount' in growing.content ? growing.content.mount : undefined
  return [...makeHostKeys(), ...(mount === undefined ? [] : growDisk(mount))]
}

/** Debian makes host keys when the package is installed, which would give all machines of an image the same. */
export function makeHostKeys(): readonly Step[] {
  const unit = `[Unit]
Description=Make this machine's own SSH host keys
ConditionFileIsExecutable=/usr/bin/ssh-keygen
ConditionPathExists=/etc/ssh/sshd_config
ConditionPathExists=|!/etc/ssh/ssh_host_ed25519_key
ConditionPathExists=|!/etc/ssh/ssh_host_rsa_key
Before=ssh.service ssh.socket

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/ssh-keygen -A

[Install]
WantedBy=multi-user.target ssh.service ssh.socket
`
  return enabled('img-ssh-host-keys.service', unit)
}

/** Growing the filesystem is systemd's part: x-systemd.growfs in fstab. */
function growDisk(mount: string): readonly Step[] {
  const growfs = mount === '/' ? 'systemd-growfs-root.service' : `systemd-growfs@${escapePath(mount)}.service`
  const unit = `[Unit]
Description=Grow the last partition to the end of the disk
DefaultDependencies=no
ConditionVirtualization=!container
RequiresMountsFor=${mount}
After=systemd-remount-fs.service
Before=${growfs} local-fs.target shutdown.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${growProgram} ${mount}

[Install]
WantedBy=local-fs.target
`
  return [
    { do: 'write', path: growProgram, content: growScript, mode: '0755' },
    ...enabled('img-grow-disk.service', unit),
  ]
}

const growProgram = '/usr/local/sbin/img-grow-disk'

/** `-` separates the parts of a path in a unit's name. */
const escapePath = (mount: string): string => mount.slice(1).replaceAll('-', '\\x2d').replaceAll('/', '-')

/** Sizes in sysfs are in sectors of 512 bytes. The last MiB of a disk holds the backup of the table. */
const growScript = `#!/bin/sh
# Grows the partition mounted on $1 to the end of its disk, when it is the last one and there is more than 2 MiB.
set -eu
name=$(basename "$(readlink -f "$(findmnt --noheadings --first-only --output SOURCE --mountpoint "$1")")")
partition=/sys/class/block/$name
# Not on a partition: a RAM disk, a container, a whole disk.
[ -e "$partition/partition" ] || exit 0
disk=$(basename "$(readlink -f "$partition/..")")
number=$(cat "$partition/partition")
start=$(cat "$partition/start")
end=$((start + $(cat "$partition/size")))
[ $(($(cat "/sys/class/block/$disk/size") - end)) -gt 6144 ] || exit 0
for other in "/sys/class/block/$disk/$disk"*/start; do
  [ "$(cat "$other")" -le "$start" ] || exit 0
done
echo ', +' | sfdisk --quiet --force --no-reread --no-tell-kernel --partno "$number" "/dev/$disk"
partx --update --nr "$number" "/dev/$disk"
`

function enabled(name: string, unit: string): readonly Step[] {
  return [
    { do: 'write', path: `/etc/systemd/system/${name}`, content: unit, mode: '0644' },
    { do: 'run', argv: ['systemctl', 'enable', name], label: `enable ${name}` },
  ]
}
