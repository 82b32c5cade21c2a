import { expect, it } from 'vitest'
import { adviseEnding, describeEnding, type Ending } from '../../../tasks/backends/qemu-ending.ts'

const problem = (
  kind: 'panic' | 'emergency' | 'initramfs' | 'no-boot' | 'boot-loader',
  line: string,
): Ending => ({
  kind: 'problem',
  problem: { kind, line },
})

it.each<[Ending, string, string]>([
  [{ kind: 'powered-off' }, 'powered off before its report was complete', 'read the console above'],
  [{ kind: 'restarted' }, 'restarted before its report was complete', 'read the console above'],
  [{ kind: 'stopped' }, 'was stopped', 'read the console above'],
  [
    problem('panic', '[ 4.9] Kernel panic - not syncing: VFS: Unable to mount root fs'),
    'panicked: VFS: Unable to mount root fs',
    'check root= on the kernel command line and that the initramfs was made for this kernel',
  ],
  [
    problem('emergency', 'You are in emergency mode.'),
    'stopped in emergency mode: You are in emergency mode.',
    'check /etc/fstab and the units before it failed, in the console above',
  ],
  [
    problem('initramfs', 'ALERT!  /dev/vda9 does not exist.  Dropping to a shell!'),
    'stopped in the initramfs: ALERT!  /dev/vda9 does not exist.  Dropping to a shell!',
    'check root= on the kernel command line against the root file system',
  ],
  [
    problem('no-boot', 'No bootable device.'),
    'found nothing to boot: No bootable device.',
    'check that the layout boots with this firmware (`boot.bios`, `boot.uefi`)',
  ],
  [
    problem('boot-loader', 'grub>'),
    'stopped at the boot loader: grub>',
    'check that GRUB finds its configuration on the root file system',
  ],
  [
    { kind: 'silent', seconds: 90 },
    'said nothing for 90 s',
    'raise the limit with --limit if the machine is only slow, else read the console above',
  ],
  [
    { kind: 'too-long', seconds: 300 },
    'was not done within 300 s',
    'raise the limit with --limit if the machine is only slow, else read the console above',
  ],
  [
    { kind: 'no-answer', seconds: 30 },
    'came up but did not start the check within 30 s',
    'the image needs systemd 250 or newer and the virtio_console kernel module',
  ],
  [{ kind: 'kvm-failed' }, 'stood still: KVM cannot run it', 'set IMG_ACCEL=tcg'],
  [
    { kind: 'no-space' },
    'stood still: no space is left here for what it writes',
    'free space in the cache, or choose another place with --cache-dir',
  ],
  [
    { kind: 'died', how: 'ended with 1', stderr: 'no such file' },
    'was lost: qemu ended with 1: no such file',
    'run `img doctor`',
  ],
  [
    { kind: 'died', how: 'was killed by SIGSEGV', stderr: '' },
    'was lost: qemu was killed by SIGSEGV',
    'run `img doctor`',
  ],
])('says %o', (ending, description, advice) => {
  expect(describeEnding(ending)).toBe(description)
  expect(adviseEnding(ending)).toBe(advice)
})
