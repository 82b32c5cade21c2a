// How programs of libguestfs are started: they fork others and a machine, none of which may outlive us.

import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import type { RunContext } from '../context.ts'
import { resolveAcceleration } from './acceleration.ts'
import { keptAppliance } from './libguestfs-kept-appliance.ts'

/**
 * Everything the program starts is in a process namespace that ends with it. The user stays itself in its user
 * namespace, or KVM would be closed to it and the appliance another's.
 */
export function insideOwnNamespace(argv: readonly string[], { uid }: RunContext): readonly string[] {
  const user = uid === 0 ? [] : ['--user', '--map-current-user']
  const own = ['--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child=KILL', '--mount-proc']
  return ['unshare', ...user, ...own, '--', ...argv]
}

/**
 * `directory` takes what is thrown away; the appliance itself is kept for all of the user's builds. `programs`: where
 * they are looked for.
 */
export async function guestfsEnv(
  directory: string,
  context: RunContext,
  programs?: string,
): Promise<Readonly<Record<string, string>>> {
  const temporary = path.join(directory, 'tmp')
  await mkdir(temporary, { recursive: true })
  const { accelerator } = await resolveAcceleration(context)
  const cache = context.env['LIBGUESTFS_CACHEDIR']
  const kernel = context.env['SUPERMIN_KERNEL']
  const env = {
    ...(programs === undefined ? {} : { PATH: programs }),
    HOME: directory,
    LC_ALL: 'C.UTF-8',
    LIBGUESTFS_BACKEND: 'direct',
    ...(accelerator === 'tcg' ? { LIBGUESTFS_BACKEND_SETTINGS: 'force_tcg' } : {}),
    LIBGUESTFS_MEMSIZE: '2048',
    LIBGUESTFS_TMPDIR: temporary,
    ...(cache === undefined ? {} : { LIBGUESTFS_CACHEDIR: cache }),
    ...(kernel === undefined ? {} : { SUPERMIN_KERNEL: kernel }),
  }
  // Root needs no user namespace.
  if (context.uid === 0) return env
  return { ...env, LIBGUESTFS_PATH: await keptAppliance(directory, env, context) }
}
