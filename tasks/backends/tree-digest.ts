// What a tree means, as one digest: of every path its type, mode, owner, times, attributes and content, but nothing of
// where a filesystem put them. The same for a folder, for the filesystem made of it, and for an archive of it.

import { createHash } from 'node:crypto'
import { readTar, type TarEntry } from './tar-entries.ts'

/**
 * `about` is what else the digest is over: the shape of the disk. `filesystemRoots` are the paths (`''`, `var`) whose
 * `lost+found` belongs to the filesystem and not to the tree.
 */
export async function computeTreeDigest(
  tar: AsyncIterable<Buffer>,
  rest: { readonly about: string; readonly filesystemRoots: readonly string[] },
): Promise<string> {
  const ignored = lostAndFound(rest.filesystemRoots)
  const records: (readonly [path: string, record: string])[] = []
  let content = createHash('sha256')
  await readTar(tar, {
    entry: (entry) => {
      if (entry.type !== '0') return undefined
      content = createHash('sha256')
      return (part) => void content.update(part)
    },
    end: (entry) => {
      const digest = entry.type === '0' ? content.digest('hex') : ''
      if (!ignored.has(entry.path)) records.push([entry.path, renderRecord(entry, digest)])
    },
  })
  return sumRecords(records, rest.about)
}

/** The folders that belong to the filesystems of these paths. */
export const lostAndFound = (filesystemRoots: readonly string[]): ReadonlySet<string> =>
  new Set(filesystemRoots.map((root) => (root === '' ? lost : `${root}/${lost}`)))

const lost = 'lost+found'

/** Of the records of all paths, in whatever order they were met. */
export function sumRecords(
  records: readonly (readonly [path: string, record: string])[],
  about: string,
): string {
  const total = createHash('sha256').update(`img tree 1\n${about}\n`)
  for (const [, record] of records.toSorted(([one], [other]) => (one < other ? -1 : 1))) {
    total.update(`${record}\n`, 'latin1')
  }
  return total.digest('hex')
}

/** `digest` is that of a file's content, else empty. */
export function renderRecord(entry: TarEntry, digest: string): string {
  const attributes = Object.entries(entry.attributes).toSorted(([one], [other]) => (one < other ? -1 : 1))
  return JSON.stringify([
    entry.path,
    entry.type,
    entry.mode,
    entry.uid,
    entry.gid,
    entry.mtime,
    entry.size,
    digest,
    entry.link,
    entry.device,
    attributes,
  ])
}
