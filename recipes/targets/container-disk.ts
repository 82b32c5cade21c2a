// A container image that is nothing but a disk, as KubeVirt starts virtual machines from.

import { checkOptions, matching } from '../../tasks/plan/options.ts'
import type { Layer } from '../../tasks/plan/recipe.ts'
import { target, targetRules, type TargetOptions } from './target.ts'

export interface ContainerDiskOptions extends TargetOptions {
  /** `name:tag`. */
  readonly reference?: string
}

/** KubeVirt's qemu runs as this user. */
const qemu = 107

/**
 * An OCI image with `/disk/disk.qcow2`.
 *
 * @example containerDisk(role, { reference: 'registry.example.org/ceph-node:1' })
 */
export function containerDisk(from: Layer, options: ContainerDiskOptions = {}): Layer {
  checkOptions('containerDisk', options, {
    required: {},
    optional: {
      ...targetRules,
      reference: matching(/^[a-z0-9][a-z0-9._/-]*:[A-Za-z0-9._-]+$/, 'not name:tag'),
    },
  })
  const { reference = `${from.name.slice(from.name.indexOf(':') + 1)}-disk:latest` } = options
  return target('container-disk', {
    from,
    options,
    steps: [
      { do: 'convert', to: 'disk.qcow2', format: 'qcow2' },
      {
        do: 'oci',
        to: 'image.tar',
        layers: { of: 'file', file: 'disk.qcow2', path: 'disk/disk.qcow2', uid: qemu },
        compress: 'gzip',
        reference,
        config: {},
      },
    ],
  })
}
