// Whether libguestfs can boot its appliance here, as far as a look tells.

import { constants } from 'node:fs'
import { access, readdir } from 'node:fs/promises'
import path from 'node:path'
import type { RunContext } from '../context.ts'
import { findProgram } from '../run/find-program.ts'
import type { BackendProbe } from './backend.ts'
import { probeNamespace } from './namespace-probe.ts'

/** What only reads or cleans the disk's file needs namespaces, too. */
export async function probeLibguestfs(
  context: RunContext,
  { boot = '/boot', programs }: { readonly boot?: string; readonly programs?: string } = {},
): Promise<BackendProbe> {
  const missing = ['guestfish', 'virt-sysprep'].filter((name) => findProgram(name, programs) === undefined)
  if (missing.length > 0) {
    const reason = `${missing.join(' and ')} not installed`
    return { available: false, reason, hint: 'install libguestfs-tools and guestfs-tools' }
  }
  const kernel = context.env['SUPERMIN_KERNEL']
  if (kernel === undefined && !(await hasKernel(boot))) {
    const reason = `no kernel in ${boot} that this user may read`
    return {
      available: false,
      reason,
      hint: 'install linux-image-amd64, or run `sudo chmod 0644 /boot/vmlinuz-*`',
    }
  }
  return probeNamespace(context)
}

async function hasKernel(boot: string): Promise<boolean> {
  const names = await readdir(boot).catch(() => [])
  const found = await Promise.all(
    names
      .filter((name) => name.startsWith('vmlinuz-'))
      .map((name) =>
        access(path.join(boot, name), constants.R_OK).then(
          () => true,
          () => false,
        ),
      ),
  )
  return found.includes(true)
}
