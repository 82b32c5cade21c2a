// What people read while a step runs and when it failed. Pure.

import type { Step } from '../plan/step.ts'

export function labelOf(step: Step): string {
  switch (step.do) {
    case 'bootstrap':
      return `bootstrap ${step.suite}`
    case 'run':
      return step.label ?? step.argv.join(' ')
    case 'apt':
      return `apt ${[...step.install, ...step.remove.map((name) => `${name}-`)].join(' ')}`
    case 'write':
    case 'mkdir':
    case 'link':
      return `${step.do} ${step.path}`
    case 'copy':
      return `copy to ${step.to}`
    case 'remove':
      return `remove ${step.paths.join(' ')}`
    case 'puppet':
      return 'puppet apply'
    case 'install':
      return `run the installer (${step.answers.kind})`
    case 'firstboot':
      return step.label
    case 'script':
      return 'script'
    case 'convert':
    case 'extract':
    case 'emit':
    case 'checksums':
    case 'pack':
    case 'template':
    case 'oci':
    case 'squashfs':
    case 'initramfs':
    case 'uki':
      return `make ${step.to}`
    case 'sysprep':
      return `virt-sysprep ${step.operations.join(',')}`
    case 'virt-builder':
      return `virt-builder ${step.template}`
    case 'trim':
      return 'trim free space'
    case 'seal':
    case 'disk':
    case 'archive':
      return step.do
  }
}
