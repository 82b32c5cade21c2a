// What a file was at a moment, as far as its metadata tell.

import { stat } from 'node:fs/promises'

export interface FileStamp {
  readonly ino: bigint
  readonly size: bigint
  readonly mtimeNs: bigint
}

export async function stampOf(path: string): Promise<FileStamp> {
  const { ino, size, mtimeNs } = await stat(path, { bigint: true })
  return { ino, size, mtimeNs }
}

export function sameStamp(a: FileStamp, b: FileStamp): boolean {
  return a.ino === b.ino && a.size === b.size && a.mtimeNs === b.mtimeNs
}
