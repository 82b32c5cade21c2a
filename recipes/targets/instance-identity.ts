// A disk that wakes up as another instance, out of a snapshot, is another machine. cloud-init makes host keys and names
// anew for it; the machine-id, by which DHCP servers, journals and monitoring know a machine, it keeps.

import type { Step } from '../../tasks/plan/step.ts'

/**
 * Looks once where the instance was found on the machine itself, before the network is up, and once where it took the
 * network to find it. The units' names in cloud-init before and since 24.3.
 */
export function instanceIdentity(): readonly Step[] {
  const units = ['cloud-init-local', 'cloud-init', 'cloud-init-network']
  return [
    { do: 'write', path: program, content: script, mode: '0755' },
    ...units.map((unit): Step => ({
      do: 'write',
      path: `/etc/systemd/system/${unit}.service.d/img-identity.conf`,
      content: `[Service]\nExecStartPost=-${program}\n`,
      mode: '0644',
    })),
  ]
}

const program = '/usr/local/sbin/img-instance-identity'

/**
 * Its record says which machine-id was made for which instance. Nothing is changed without one: the first boot has made
 * everything. A cloud that does not answer for once is no new instance.
 */
const script = `#!/bin/sh
# Gives the machine an id of its own when cloud-init found another instance on this disk than the one before.
set -eu
record=/var/lib/img/instance
[ -s /var/lib/cloud/data/instance-id ] || exit 0
instance=$(cat /var/lib/cloud/data/instance-id)
machine=$(cat /etc/machine-id)
before=
owner=
if [ -e "$record" ]; then read -r before owner <"$record"; fi
[ "$machine $instance" != "$before $owner" ] || exit 0
if [ "$instance" = iid-datasource-none ] && [ -n "$owner" ]; then exit 0; fi
if [ -n "$owner" ] && [ "$instance" != "$owner" ] && [ "$machine" = "$before" ]; then
  machine=$(systemd-id128 new)
  echo "instance $instance is not $owner: this machine is now $machine"
  echo "$machine" >/etc/machine-id.new
  chmod 0444 /etc/machine-id.new
  mv -f /etc/machine-id.new /etc/machine-id
  rm -rf /var/lib/dhcp/*.lease* /var/lib/dhcpcd/* /var/lib/systemd/network/*
  # What has read the old one. The network is not up yet where the instance was found without it.
  systemctl --no-block restart systemd-journald.service
  systemctl --no-block try-restart systemd-networkd.service
fi
mkdir -p "\${record%/*}"
echo "$machine $instance" >"$record.new"
mv -f "$record.new" "$record"
`
