// The image somebody means: a layer, a key or the beginning of one, a layer's build before the newest, or a file.

import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { LayerRecord } from '../../cache/store.ts'
import { ImgError } from '../errors.ts'
import { select } from '../plan/select.ts'
import type { Project } from './project.ts'
import { latestBuild, warnElsewhere } from './latest-build.ts'
import { readRuns, type RunRecord } from './run-record.ts'

export interface FoundImage {
  /** For people: the file as written, or layer and key. */
  readonly title: string
  /** Of a raw or qcow2 file; a build's disk is restored where it is not here. */
  readonly path: () => Promise<string>
  /** Absent for a file of nobody's. */
  readonly build?: { readonly record: LayerRecord; readonly diskDigest: string }
}

/** Throws INPUT_MISSING, RECORD_MISSING and what selecting throws. */
export async function findImage(project: Project, written: string, cwd: string): Promise<FoundImage> {
  const file = resolve(cwd, written)
  if (isFile(file)) return { title: written, path: () => Promise.resolve(file) }
  if (/^[./~]/.test(written) || /\.(?:raw|img|qcow2)$/.test(written)) {
    throw new ImgError('INPUT_MISSING', `there is no file ${written}`, {
      path: written,
      hint: 'give an image file, a layer, or a key',
    })
  }
  const record = await findRecord(project, written)
  const disk = record.artifact['disk.raw']
  if (disk === undefined) {
    throw new ImgError('USAGE', `${record.layer} has no disk`, {
      hint: 'name a layer whose artifact is a disk',
      layer: record.layer,
    })
  }
  return {
    title: `${record.layer} ${record.key.slice(0, 12)}`,
    path: () => project.store.materialise(disk),
    build: { record, diskDigest: disk.diskDigest },
  }
}

/** The build before the newest of a layer; USAGE for what is one image and has none before it. */
export async function findImageBefore(project: Project, written: string, cwd: string): Promise<FoundImage> {
  const isLayer = !written.includes('@') && !isKey(written) && !isFile(resolve(cwd, written))
  if (isLayer) return findImage(project, `${written}@previous`, cwd)
  throw new ImgError('USAGE', `${written} is one image, and a difference takes two`, {
    hint: 'name a second one, or a layer alone for its two newest builds',
    found: written,
  })
}

const isKey = (written: string): boolean => /^[0-9a-f]{6,64}$/.test(written)

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true

/** A build by layer, `LAYER@previous`, or key. */
export async function findRecord(project: Project, written: string): Promise<LayerRecord> {
  const { store, graph } = project
  if (isKey(written)) return recordOf(project, keyOf(project, written))
  const [, name = '', revision] = /^([^@]*)(?:@(.*))?$/s.exec(written) ?? []
  const [layer, second] = select(graph, [name])
  if (layer === undefined || second !== undefined) {
    throw new ImgError('USAGE', `${name} is more than one layer`, { hint: 'name one layer', found: name })
  }
  const latest = await latestBuild(store, layer)
  if (latest === undefined) {
    throw new ImgError('RECORD_MISSING', `${layer} was never built here`, {
      hint: `run \`img build ${layer}\``,
      layer,
    })
  }
  if (revision === undefined) {
    warnElsewhere(latest, project.context.emit)
    return latest
  }
  if (revision !== 'previous') {
    throw new ImgError('USAGE', `${written}: after @ only previous is known`, {
      hint: `write ${layer}@previous, or a key from \`img runs --json\``,
      found: revision,
    })
  }
  const before = keysOf(readRuns(project.context, 'own'), layer).find((key) => key !== latest.key)
  if (before !== undefined) return recordOf(project, before)
  throw new ImgError('RECORD_MISSING', `no build of ${layer} before the newest is known here`, {
    hint: '`img runs` lists the builds of this machine',
    layer,
  })
}

/** Keys that were built, newest first. */
function keysOf(runs: readonly RunRecord[], layer?: string): readonly string[] {
  return runs.flatMap(({ layers }) =>
    layers.flatMap((built) =>
      built.key !== undefined && (layer === undefined || built.name === layer) ? [built.key] : [],
    ),
  )
}

function keyOf(project: Project, written: string): string {
  if (written.length === 64) return written
  const keys = [...new Set(keysOf(readRuns(project.context, 'all')).filter((key) => key.startsWith(written)))]
  const [key] = keys
  if (key !== undefined && keys.length === 1) return key
  const message =
    keys.length === 0 ? `no key begins with ${written}` : `${keys.length} keys begin with ${written}`
  throw new ImgError('RECORD_MISSING', message, {
    hint: 'give the whole key, as `img show LAYER` prints it',
    found: written,
  })
}

async function recordOf({ store }: Project, key: string): Promise<LayerRecord> {
  const found = await store.find(key)
  if (found.hit) return found.record
  throw new ImgError('RECORD_MISSING', `${key.slice(0, 12)} is not in the cache: ${found.reason}`, {
    hint: 'build it again, or compare with another build',
    found: key,
  })
}
