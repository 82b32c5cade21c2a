// A container image: the system's files without what only a machine needs. Roles share the blobs of what they stand on.

import { checkOptions, isText, isTexts, listOf, matching, oneOf } from '../../tasks/plan/options.ts'
import type { Layer } from '../../tasks/plan/recipe.ts'
import type { JsonValue } from '../../tasks/plan/step.ts'
import { target, targetRules, type TargetOptions } from './target.ts'

export interface DockerOptions extends TargetOptions {
  /** `name:tag`, what it is called after loading; by default the layer's name. */
  readonly reference?: string
  /** A shell by default. */
  readonly cmd?: readonly string[]
  readonly entrypoint?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly labels?: Readonly<Record<string, string>>
  readonly user?: string
  readonly workdir?: string
  /** `80/tcp`. */
  readonly ports?: readonly string[]
  /** gzip by default, which every registry and client takes. */
  readonly compress?: 'gzip' | 'zstd'
}

/**
 * An OCI image layout, and `image.tar` for `podman load` and `docker load`.
 *
 * @example docker(role, { cmd: ['/usr/bin/ceph-osd'] })
 */
export function docker(from: Layer, options: DockerOptions = {}): Layer {
  checkOptions('docker', options, { required: {}, optional: rules })
  const { compress = 'gzip', reference = defaultReference(from) } = options
  return target('docker', {
    from,
    options,
    chain: true,
    tried: 'container',
    steps: [
      {
        do: 'oci',
        to: 'image.tar',
        layers: { of: 'chain', exclude: machineOnly },
        compress,
        reference,
        config: imageConfig(options),
      },
    ],
  })
}

const rules = {
  ...targetRules,
  reference: matching(/^[a-z0-9]+(?:[._/-][a-z0-9]+)*:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/, 'not name:tag'),
  cmd: listOf(isText),
  entrypoint: listOf(isText),
  env: isTexts,
  labels: isTexts,
  user: isText,
  workdir: matching(/^\//, 'not an absolute path'),
  ports: listOf(matching(/^\d{1,5}\/(?:tcp|udp|sctp)$/, 'not port/protocol')),
  compress: oneOf(['gzip', 'zstd']),
}

const defaultReference = ({ name }: Layer): string => {
  const [kind = '', own = ''] = name.split(':')
  return `${kind === 'role' ? own : `${kind}-${own}`}:latest`
}

/** The names image configurations have. */
function imageConfig(options: DockerOptions): JsonValue {
  const { cmd = ['/bin/bash'], entrypoint, env = {}, labels, user, workdir, ports } = options
  const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  return {
    Cmd: cmd,
    Env: Object.hasOwn(env, 'PATH') ? variables : [path, ...variables],
    ...(entrypoint === undefined ? {} : { Entrypoint: entrypoint }),
    ...(labels === undefined ? {} : { Labels: labels }),
    ...(user === undefined ? {} : { User: user }),
    ...(workdir === undefined ? {} : { WorkingDir: workdir }),
    ...(ports === undefined ? {} : { ExposedPorts: Object.fromEntries(ports.map((port) => [port, {}])) }),
  }
}

/** Kernel, boot loader, what names hardware or one machine, and what a container is given by whoever runs it. */
const machineOnly: readonly string[] = [
  'boot/',
  'dev/',
  'etc/default/grub',
  'etc/default/grub.d',
  'etc/fstab',
  'etc/grub.d',
  'etc/hostname',
  'etc/hosts',
  'etc/initramfs-tools',
  'etc/kernel',
  'etc/mtab',
  'etc/resolv.conf',
  'etc/systemd/network/80-ethernet.network',
  'initrd.img*',
  'media/',
  'mnt/',
  'proc/',
  'run/',
  'swapfile',
  'sys/',
  'tmp/',
  'usr/lib/firmware',
  'usr/lib/grub',
  'usr/lib/modules',
  'usr/lib/systemd/boot',
  'usr/share/grub',
  'var/lib/initramfs-tools',
  'var/log/journal/',
  'var/tmp/',
  'vmlinuz*',
]
