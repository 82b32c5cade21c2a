// One file that vSphere, VirtualBox and others import as a virtual machine.

import { checkOptions, matching } from '../../tasks/plan/options.ts'
import type { Layer } from '../../tasks/plan/recipe.ts'
import { ovf } from './ovf.ts'
import { target, targetRules, type TargetOptions } from './target.ts'

export interface OvaOptions extends TargetOptions {
  /** What the virtual machine is called; the layer's own name by default. */
  readonly system?: string
  /** MB; 1024 by default. */
  readonly memory?: number
}

/**
 * `machine.ova`: description, manifest and disk, in the order the format wants.
 *
 * @example ova(role, { memory: 4096 })
 */
export function ova(from: Layer, options: OvaOptions = {}): Layer {
  checkOptions('ova', options, {
    required: {},
    optional: {
      ...targetRules,
      system: matching(/^[A-Za-z0-9._-]+$/, 'not a name of letters, digits, ., - and _'),
      memory: (value) =>
        Number.isSafeInteger(value) && Number(value) >= 128 ? undefined : 'not a number of MB',
    },
  })
  const { system = from.name.slice(from.name.indexOf(':') + 1), memory = 1024 } = options
  return target('ova', {
    from,
    options,
    steps: [
      { do: 'convert', to: 'disk.vmdk', format: 'vmdk', options: { subformat: 'streamOptimized' } },
      { do: 'emit', to: 'machine.ovf', text: ovf('disk.vmdk', { name: system, memory }) },
      {
        do: 'emit',
        to: 'machine.mf',
        text: 'SHA256(machine.ovf)= {{sha256 machine.ovf}}\nSHA256(disk.vmdk)= {{sha256 disk.vmdk}}\n',
      },
      {
        do: 'pack',
        to: 'machine.ova',
        files: ['machine.ovf', 'machine.mf', 'disk.vmdk'],
        compress: 'none',
      },
      { do: 'checksums', to: 'SHA256SUMS', algorithm: 'sha256' },
    ],
  })
}
