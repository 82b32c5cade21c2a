// The lookup: a record counts only with everything it needs. Reads, and never throws for what it reads; needs none of
// the packages the store writes with, since most commands do nothing else.

import { ImgError } from '../tasks/errors.ts'
import { readContent, readEntry } from './entries.ts'
import { packProblem } from './footers.ts'
import { MapError } from './map-format.ts'
import { readMapRoot } from './read-map.ts'
import { parseRecord } from './record.ts'
import type { StoreDir } from './store-dir.ts'
import type { ArtifactFile, Found, LayerRecord } from './store.ts'

export function findRecord(at: StoreDir, key: string): Found {
  try {
    const record = readRecord(at.dir, recordKey(key))
    if (record === undefined) return { hit: false, reason: 'not built yet' }
    if (typeof record === 'string') return { hit: false, reason: `its record ${record}` }
    if (record.key !== key) return { hit: false, reason: `its record is of the key ${record.key}` }
    if (record.removed !== undefined) return { hit: false, reason: explainRemoved(record.removed), record }
    const problem = artifactProblem(at, record)
    return problem === undefined ? { hit: true, record } : { hit: false, reason: problem }
  } catch (cause) {
    if (cause instanceof ImgError) throw cause
    return { hit: false, reason: `its record cannot be read: ${(cause as Error).message}` }
  }
}

function explainRemoved({ at, why }: NonNullable<LayerRecord['removed']>): string {
  return `its disk was removed on ${new Date(at).toISOString().slice(0, 10)}, ${why}`
}

/** Of one project, or of all that share the store. */
export function findLatest(at: StoreDir, layer: string, project?: string): LayerRecord | undefined {
  const record = readRecord(at.dir, latestKey(layer, project))
  return typeof record === 'string' || record?.layer !== layer ? undefined : record
}

/** A record, what is wrong with it, or nothing. */
export function readRecord(dir: string, entryKey: string): LayerRecord | string | undefined {
  const entry = readEntry(dir, entryKey)
  if (entry === undefined) return undefined
  const content = readContent(dir, entry.digest)
  return content.status === 'whole' ? parseRecord(content.data) : `is ${content.status}`
}

/** What keeps an artifact from being restored, as far as lengths and footers tell. */
export function artifactProblem(at: StoreDir, record: Pick<LayerRecord, 'artifact'>): string | undefined {
  const packs = new Set<string>()
  for (const [name, file] of Object.entries(record.artifact)) {
    const problem = mapProblem(at.dir, file)
    if (problem !== undefined) return `the map of ${name} ${problem}`
    for (const pack of file.packs) packs.add(pack)
  }
  for (const pack of packs) {
    const problem = packProblem(at, pack)
    if (problem !== undefined) return `pack ${pack} ${problem}`
  }
  return undefined
}

export const recordKey = (key: string): string => `record:${key}`
/** No layer's name has a slash. */
export const latestKey = (layer: string, project?: string): string =>
  project === undefined ? `latest:${layer}` : `latest:${project}/${layer}`

function mapProblem(dir: string, file: ArtifactFile): string | undefined {
  try {
    readMapRoot(dir, file)
    return undefined
  } catch (cause) {
    if (cause instanceof MapError) return cause.message
    throw cause
  }
}
