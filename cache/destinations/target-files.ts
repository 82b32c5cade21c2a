// The files of a target on their way out: each comes from the store when it is needed, and its room is free again after.

import { mkdir, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

export interface TargetFiles {
  readonly names: readonly string[]
  /** A small one. */
  read(name: string): Promise<Buffer>
  /** Its place is valid while `fn` runs. */
  use<T>(name: string, fn: (path: string) => Promise<T>): Promise<T>
  /** Writes it where nothing is, verified and on disk when it returns. */
  write(name: string, to: string): Promise<void>
}

/** `folder` is where they come to; `write` is the store's. */
export function targetFiles(
  names: readonly string[],
  { folder, write }: { readonly folder: string; readonly write: TargetFiles['write'] },
): TargetFiles {
  const use: TargetFiles['use'] = async (name, fn) => {
    const path = join(folder, name)
    await mkdir(dirname(path), { recursive: true })
    try {
      await write(name, path)
      return await fn(path)
    } finally {
      await rm(path, { force: true })
    }
  }
  return { names, read: (name) => use(name, (path) => readFile(path)), use, write }
}
