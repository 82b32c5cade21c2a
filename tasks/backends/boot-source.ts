// What the machines of a boot test start from: a disk nobody writes, or files that are fetched into memory.

import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunContext } from '../context.ts'
import { networkHost, openBuildNetwork } from './build-network.ts'
import type { MachineParts } from './qemu-arguments.ts'
import { makeOverlay } from './qemu-files.ts'
import { serveFiles } from './serve-files.ts'

/** Started again with the same parts a machine goes on where it powered off. */
export type BootParts = Pick<MachineParts, 'disk' | 'kernel' | 'network'>

export interface BootSource {
  /** What one new machine starts from. The folder is private and there. */
  readonly parts: (directory: string) => Promise<BootParts>
  /** As Machine has it. */
  readonly enter?: (argv: readonly string[]) => readonly string[]
  close(): Promise<void>
}

export const diskSource = (disk: string, { signal }: RunContext): BootSource => ({
  parts: async (directory) => ({
    disk: await makeOverlay(disk, directory, { signal }),
    network: { outside: false, forwards: [] },
  }),
  close: () => Promise.resolve(),
})

/**
 * A folder with `vmlinuz`, `initrd.img`, `cmdline` and the images that names: served where nothing else is. Or with
 * `ramdisk.efi`, in which all is.
 */
export async function openMemorySource(
  folder: string,
  { directory, context }: { readonly directory: string; readonly context: RunContext },
): Promise<BootSource> {
  if (existsSync(join(folder, 'ramdisk.efi'))) return efiSource(join(folder, 'ramdisk.efi'))
  const line = (await readFile(join(folder, 'cmdline'), 'utf8')).trim()
  const server = await serveFiles(folder)
  const endpoints = [{ host: '127.0.0.1', port: server.port }]
  const network = await openBuildNetwork({ directory, endpoints, userNamespace: context.uid !== 0 })
  const parts: BootParts = {
    kernel: {
      image: join(folder, 'vmlinuz'),
      initrd: join(folder, 'initrd.img'),
      // Of a word the last counts.
      arguments: `${line} img.url=http://${networkHost}:${server.port} console=ttyS0,115200`,
    },
    network: { outside: true, forwards: [] },
  }
  return {
    parts: () => Promise.resolve(parts),
    enter: network.enter,
    close: async () => {
      await network.close()
      await server.close()
    },
  }
}

const efiSource = (image: string): BootSource => ({
  parts: () => Promise.resolve({ kernel: { image }, network: { outside: false, forwards: [] } }),
  close: () => Promise.resolve(),
})
