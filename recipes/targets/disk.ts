// The disk itself as a file, for whatever runs disks.

import { checkOptions, isFlag } from '../../tasks/plan/options.ts'
import type { Layer } from '../../tasks/plan/recipe.ts'
import { target, targetRules, type TargetOptions } from './target.ts'

/**
 * `disk.raw`: every byte of it, holes included.
 *
 * @example raw(role)
 */
export function raw(from: Layer, options: TargetOptions = {}): Layer {
  checkOptions('raw', options, { required: {}, optional: targetRules })
  return target('raw', {
    from,
    options,
    steps: [{ do: 'convert', to: 'disk.raw', format: 'raw' }, sums],
  })
}

export interface Qcow2Options extends TargetOptions {
  /** Smaller, and slower to read; by default. */
  readonly compress?: boolean
}

/**
 * `disk.qcow2`, without backing file.
 *
 * @example qcow2(role, { compress: false })
 */
export function qcow2(from: Layer, options: Qcow2Options = {}): Layer {
  checkOptions('qcow2', options, { required: {}, optional: { ...targetRules, compress: isFlag } })
  const { compress = true } = options
  return target('qcow2', {
    from,
    options,
    steps: [{ do: 'convert', to: 'disk.qcow2', format: 'qcow2', compress }, sums],
  })
}

/**
 * `disk.vmdk`, stream-optimized: what vSphere and VirtualBox import.
 *
 * @example vmdk(role)
 */
export function vmdk(from: Layer, options: TargetOptions = {}): Layer {
  checkOptions('vmdk', options, { required: {}, optional: targetRules })
  return target('vmdk', {
    from,
    options,
    steps: [
      { do: 'convert', to: 'disk.vmdk', format: 'vmdk', options: { subformat: 'streamOptimized' } },
      sums,
    ],
  })
}

const sums = { do: 'checksums', to: 'SHA256SUMS', algorithm: 'sha256' } as const
