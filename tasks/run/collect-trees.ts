// Unpacked tool trees as `img cache` sees them: how much they take, and which of them may go.

import { existsSync, lstatSync, readdirSync, renameSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { removeTree } from './remove-tree.ts'
import { treePath, treesFolder, withUnusedTree } from './tree-locks.ts'

export interface JudgedTree {
  /** Its tree digest, or the name of what is left of one. */
  readonly tree: string
  /** Allocated. */
  readonly bytes: number
  readonly keep: boolean
  /** Completes "kept: …" or "removed: …". */
  readonly reason: string
}

export interface CollectTreesOptions {
  /** Tree digests kept builds are or stand on. */
  readonly wanted: ReadonlySet<string>
  readonly dryRun: boolean
}

/** Removes trees no kept build uses and nobody has open, and what killed processes left; by name. */
export async function collectTrees(
  cacheDir: string,
  { wanted, dryRun }: CollectTreesOptions,
): Promise<readonly JudgedTree[]> {
  const names = treeFolders(cacheDir)
  const judged: JudgedTree[] = []
  for (const name of names) {
    const path = join(treesFolder(cacheDir), name)
    const about = { tree: name, bytes: folderBytes(path) }
    const tree = name.replace(/\..*/, '')
    if (name === tree && wanted.has(tree)) {
      judged.push({ ...about, keep: true, reason: 'a kept build uses it' })
      continue
    }
    const gone = await withUnusedTree(cacheDir, tree, async () => {
      if (!dryRun) await removeWhole(path)
      return true
    })
    const reason = name === tree ? 'no kept build uses it' : 'left by a process that was killed'
    judged.push(
      gone === undefined
        ? { ...about, keep: true, reason: 'in use right now' }
        : { ...about, keep: false, reason },
    )
  }
  return judged
}

export function measureTrees(cacheDir: string): { readonly count: number; readonly bytes: number } {
  const names = treeFolders(cacheDir)
  const sizes = names.map((name) => folderBytes(treePath(cacheDir, name)))
  return { count: names.length, bytes: sizes.reduce((sum, size) => sum + size, 0) }
}

/** `DIGEST`, and what was being made of it or removed: `DIGEST.incoming`, `.session`, `.removed`. */
function treeFolders(cacheDir: string): readonly string[] {
  const folder = treesFolder(cacheDir)
  if (!existsSync(folder)) return []
  const entries = readdirSync(folder, { withFileTypes: true })
  return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).toSorted()
}

/** Renamed first: what is left of a removal that was killed is not taken for a tree. */
async function removeWhole(path: string): Promise<void> {
  const leaving = path.endsWith('.removed') ? path : `${path.replace(/\.[^./]*$/, '')}.removed`
  const what = 'an unpacked tool tree nobody uses'
  if (leaving !== path) {
    await removeTree(leaving, what)
    renameSync(path, leaving)
  }
  await removeTree(leaving, what)
}

/** Files with several names once. What may not be read, as some folders of other ids, counts as empty. */
function folderBytes(folder: string): number {
  const seen = new Set<number>()
  let bytes = 0
  const pending = [folder]
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    for (const name of namesIn(at)) {
      const path = join(at, name)
      const stat: Stats | undefined = lstatSync(path, { throwIfNoEntry: false })
      if (stat === undefined || (stat.nlink > 1 && !stat.isDirectory() && seen.has(stat.ino))) continue
      seen.add(stat.ino)
      bytes += stat.blocks * 512
      if (stat.isDirectory()) pending.push(path)
    }
  }
  return bytes
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
