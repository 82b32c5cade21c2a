import { randomUUID } from 'node:crypto'
import { mkdir, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { syncPath } from '../durable.ts'
import { hashFile } from '../repository/hash-file.ts'
import type { TargetFiles } from './target-files.ts'

export interface Place {
  readonly to: string
  /** A folder on the same file system. */
  readonly tmp: string
  /** What is there already with this digest stays. */
  readonly sha256: string
}

/** A file under its name, whole and on disk, or not at all; the folder above its own is left to the caller. */
export async function placeFile(files: TargetFiles, name: string, { to, tmp, sha256 }: Place): Promise<void> {
  if ((await hashFile(to, 'sha256'))?.digest === sha256) return
  const staged = join(tmp, randomUUID())
  await files.write(name, staged)
  await mkdir(dirname(to), { recursive: true })
  await rename(staged, to)
  await syncPath(dirname(to))
}
