// The files a record rests on: while all of them are as they are, it is a hit.

import { bucketPath, contentPath, readEntry } from './entries.ts'
import { recordKey } from './find-record.ts'
import type { LayerRecord } from './store.ts'

export function recordFiles(dir: string, record: LayerRecord): readonly string[] {
  const entry = readEntry(dir, recordKey(record.key))
  const artifact = Object.values(record.artifact).flatMap(({ mapDigest, packs }) => [mapDigest, ...packs])
  const content = entry === undefined ? artifact : [entry.digest, ...artifact]
  return [bucketPath(dir, recordKey(record.key)), ...content.map((digest) => contentPath(dir, digest))]
}
