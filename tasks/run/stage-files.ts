// Lays listed files out for a backend, with the modes that are in the key whatever the umask is.

import { chmod, copyFile, mkdir, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ListedFile } from './input-files.ts'

export async function stageFiles(files: readonly ListedFile[], to: string): Promise<void> {
  const made = new Set<string>()
  await makeFolder(to, made)
  for (const { path, mode, source, target } of files) {
    const place = join(to, path)
    if (mode === 'dir') {
      await makeFolder(place, made)
      continue
    }
    await makeFolder(dirname(place), made)
    if (mode === 'link') {
      await symlink(target ?? '', place)
    } else {
      await copyFile(source, place)
      await chmod(place, Number.parseInt(mode, 8))
    }
  }
}

async function makeFolder(path: string, made: Set<string>): Promise<void> {
  if (made.has(path)) return
  const first = await mkdir(path, { recursive: true })
  made.add(path)
  if (first === undefined) return
  for (let folder = path; folder.length >= first.length; folder = dirname(folder)) await chmod(folder, 0o755)
}
