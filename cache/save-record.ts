// The publish point: a record appears when everything it names is there and on disk.

import { ImgError } from '../tasks/errors.ts'
import { putContent, putEntry } from './content.ts'
import { readEntry, sha256 } from './entries.ts'
import { artifactProblem, findRecord, latestKey, recordKey } from './find-record.ts'
import { renderRecord } from './record.ts'
import type { StoreDir } from './store-dir.ts'
import type { LayerRecord } from './store.ts'

export async function saveRecord(
  at: StoreDir,
  record: LayerRecord,
  project: string | undefined,
): Promise<void> {
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
    return putLatest(at, record, { digest: readEntry(dir, recordKey(record.key))!.digest, project })
  }
  const data = renderRecord(record)
  const digest = sha256(data)
  await putContent(dir, recordKey(record.key), { data, digest })
  await putLatest(at, record, { digest, project })
}

/** What a project uses that another one built is its newest, too, while it has none of its own. */
export async function claimRecord(at: StoreDir, record: LayerRecord, project: string): Promise<void> {
  const entry = readEntry(at.dir, recordKey(record.key))
  if (entry !== undefined) await putEntry(at.dir, latestKey(record.layer, project), entry.digest)
}

async function putLatest(
  { dir }: StoreDir,
  { layer }: LayerRecord,
  { digest, project }: { readonly digest: string; readonly project: string | undefined },
): Promise<void> {
  await putEntry(dir, latestKey(layer), digest)
  if (project !== undefined) await putEntry(dir, latestKey(layer, project), digest)
}
