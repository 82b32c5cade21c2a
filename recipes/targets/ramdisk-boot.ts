// How a machine without a disk gets its root filesystem: images named on the kernel command line are fetched into memory,
// compared with their digests, and mounted over each other.

import type { Layer } from '../../tasks/plan/recipe.ts'
import type { Step } from '../../tasks/plan/step.ts'
import type { Debian } from '../traits.ts'
import { targetDisk } from './target.ts'

/** The layer `ramdisk-disk:…`, whose initramfs boots from memory. */
export const ramdiskDisk = (from: Layer<Debian>): Layer =>
  targetDisk('ramdisk', from, { name: 'ramdisk-boot', steps })

/** Where an initramfs that carries its images has them. */
export const carriedImages = 'img-root'

const initramfs = '/etc/initramfs-tools'

const hook = `#!/bin/sh
set -e
if [ "$1" = prereqs ]; then exit 0; fi
. /usr/share/initramfs-tools/hook-functions
manual_add_modules loop overlay squashfs
`

/**
 * `boot=img-ramdisk img.root=FILE:SHA256,… [img.url=http://…] [img.size=50%]`, the lowest image first; without a URL the
 * server DHCP named. What was compared is what is mounted: it lies in memory since.
 */
const script = `# Sourced by the initramfs: boot=img-ramdisk
stop() { while :; do panic "img: $1"; done; }

# The file of this name, into memory, from this initramfs or the server.
fetch() {
  # Two layers may have the same image.
  [ ! -e "$images/$1" ] || return
  if [ -e "/${carriedImages}/$1" ]; then
    mv "/${carriedImages}/$1" "$images/$1"
    return
  fi
  if [ -z "$networked" ]; then
    configure_networking
    networked=y
    [ -n "$url" ] || url="http://\${ROOTSERVER:-}"
  fi
  echo "img: fetching $url/$1"
  turn=1
  until wget -q -O "$images/$1" "$url/$1"; do
    [ $turn -lt 5 ] || stop "$url/$1 cannot be fetched into memory"
    echo "img: $url/$1 did not come, trying again"
    sleep $turn
    turn=$((turn + 1))
  done
}

mountroot() {
  root= url= size=50% networked= lower= number=0
  for word in $(cat /proc/cmdline); do
    case $word in
    img.root=*) root=\${word#img.root=} ;;
    img.url=*) url=\${word#img.url=} ;;
    img.size=*) size=\${word#img.size=} ;;
    esac
  done
  [ -n "$root" ] || stop "the kernel command line has no img.root="
  for module in loop overlay squashfs; do modprobe $module; done
  base=/run/img-ramdisk
  images=$base/images
  mkdir -p $images $base/changes
  # As much as there is: what does not fit cannot run.
  mount -t tmpfs -o nodev,noexec,nosuid,mode=0700,size=100% tmpfs $images
  mount -t tmpfs -o mode=0755,size=$size tmpfs $base/changes
  for image in $(echo "$root" | tr , ' '); do
    file=\${image%:*}
    expected=\${image##*:}
    fetch "$file"
    found=$(sha256sum "$images/$file")
    found=\${found%% *}
    if [ "$found" != "$expected" ]; then
      rm -f "$images/$file"
      stop "$file is not the image this boot was made for, and is not mounted: its sha256 is $found instead of $expected"
    fi
    number=$((number + 1))
    mkdir $base/$number
    device=$(busybox losetup -f)
    busybox losetup -r "$device" "$images/$file" || stop "no loop device takes $file"
    mount -t squashfs -o ro "$device" $base/$number || stop "$file cannot be mounted"
    lower=$base/$number\${lower:+:$lower}
  done
  mount -o remount,ro $images
  mkdir -m 0755 $base/changes/upper $base/changes/work
  mount -t overlay -o "lowerdir=$lower,upperdir=$base/changes/upper,workdir=$base/changes/work" overlay "$rootmnt" ||
    stop 'the images cannot be mounted over each other'
  echo "img: the root filesystem is in memory, $number checked"
}
`

const steps: readonly Step[] = [
  { do: 'apt', apt: 'apt', install: ['busybox', 'initramfs-tools'], remove: [], recommends: false },
  {
    do: 'write',
    path: `${initramfs}/conf.d/img-ramdisk`,
    content: 'MODULES=most\nBUSYBOX=y\n',
    mode: '0644',
  },
  { do: 'write', path: `${initramfs}/hooks/img-ramdisk`, content: hook, mode: '0755' },
  { do: 'write', path: `${initramfs}/scripts/img-ramdisk`, content: script, mode: '0644' },
  // Nothing of the disk's is there to be mounted.
  { do: 'write', path: '/etc/fstab', content: '# The root filesystem is in memory.\n', mode: '0644' },
  { do: 'run', argv: ['update-initramfs', '-u', '-k', 'all'], label: 'initramfs' },
]
