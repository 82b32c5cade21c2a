// Pure. How a machine's run can end, and how that is said.

import type { ConsoleProblem } from './qemu-console.ts'

export type Ending =
  /** The guest powered off; whether it should have is the caller's to judge. */
  | { readonly kind: 'powered-off' }
  | { readonly kind: 'restarted' }
  /** We ended it. */
  | { readonly kind: 'stopped' }
  | { readonly kind: 'problem'; readonly problem: ConsoleProblem }
  | { readonly kind: 'silent'; readonly seconds: number }
  | { readonly kind: 'too-long'; readonly seconds: number }
  /** It came up, but the script inside did not report. */
  | { readonly kind: 'no-answer'; readonly seconds: number }
  | { readonly kind: 'kvm-failed' }
  /** This machine's, not the guest's. */
  | { readonly kind: 'no-space' }
  | { readonly kind: 'died'; readonly how: string; readonly stderr: string }

/** A clause about the machine: "panicked: …". */
export function describeEnding(ending: Ending): string {
  switch (ending.kind) {
    case 'powered-off':
      return 'powered off before its report was complete'
    case 'restarted':
      return 'restarted before its report was complete'
    case 'stopped':
      return 'was stopped'
    case 'problem':
      return describeProblem(ending.problem)
    case 'silent':
      return `said nothing for ${ending.seconds} s`
    case 'too-long':
      return `was not done within ${ending.seconds} s`
    case 'no-answer':
      return `came up but did not start the check within ${ending.seconds} s`
    case 'kvm-failed':
      return 'stood still: KVM cannot run it'
    case 'no-space':
      return 'stood still: no space is left here for what it writes'
    case 'died':
      return `was lost: qemu ${ending.how}${ending.stderr === '' ? '' : `: ${ending.stderr}`}`
  }
}

/** What to do about it. */
export function adviseEnding(ending: Ending): string {
  switch (ending.kind) {
    case 'problem':
      return problemAdvice[ending.problem.kind]
    case 'silent':
    case 'too-long':
      return 'raise the limit with --limit if the machine is only slow, else read the console above'
    case 'no-answer':
      return 'the image needs systemd 250 or newer and the virtio_console kernel module'
    case 'kvm-failed':
      return 'set IMG_ACCEL=tcg'
    case 'no-space':
      return 'free space in the cache, or choose another place with --cache-dir'
    case 'died':
      return 'run `img doctor`'
    case 'powered-off':
    case 'restarted':
    case 'stopped':
      return 'read the console above'
  }
}

function describeProblem({ kind, line }: ConsoleProblem): string {
  switch (kind) {
    case 'panic':
      return `panicked: ${line.replace(/^.*Kernel panic - not syncing: /, '')}`
    case 'emergency':
      return `stopped in emergency mode: ${line}`
    case 'initramfs':
      return `stopped in the initramfs: ${line}`
    case 'no-boot':
      return `found nothing to boot: ${line}`
    case 'boot-loader':
      return `stopped at the boot loader: ${line}`
  }
}

const problemAdvice: Readonly<Record<ConsoleProblem['kind'], string>> = {
  panic: 'check root= on the kernel command line and that the initramfs was made for this kernel',
  emergency: 'check /etc/fstab and the units before it failed, in the console above',
  initramfs: 'check root= on the kernel command line against the root file system',
  'no-boot': 'check that the layout boots with this firmware (`boot.bios`, `boot.uefi`)',
  'boot-loader': 'check that GRUB finds its configuration on the root file system',
}
