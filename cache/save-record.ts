// The publish point: a record appears when everything it names is there and on disk.

import { ImgError } from '../tasks/errors.ts'
import { putContent, putEntry } from './content.ts'
import { readEntry, sha256 } from './entries.ts'
import { artifactProblem, findRecord, latestKey, recordKey } from './find-record.ts'
import { renderRecord } from './record.ts'
import type { StoreDir } from './store-dir.ts'
import type { LayerRecord } from './store.ts'

export async function saveRecord(at: StoreDir, record: LayerRecord): Promise<void> {
  const { dir } = at
  const problem = artifactProblem(at, record)
  if (problem !== undefined) {
    throw new ImgError('CACHE_DAMAGED', `cannot record ${record.layer}: ${problem}`, {
      layer: record.layer,
      hint: 'run the command again; `img cache verify` looks for more damage',
    })
  }
  const found = findRecord(at, record.key)
  if (found.hit && found.record.treeDigest === record.treeDigest) {
    // The same tree again keeps the first record: what was built on its disk stays usable.
    return putEntry(dir, latestKey(record.layer), readEntry(dir, recordKey(record.key))!.digest)
  }
  const data = renderRecord(record)
  const digest = sha256(data)
  await putContent(dir, recordKey(record.key), { data, digest })
  await putEntry(dir, latestKey(record.layer), digest)
}
