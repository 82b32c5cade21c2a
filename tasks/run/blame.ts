// Which layer of a chain brought a file or package, by which step, declared where, committed when.

import type { LayerRecord } from '../../cache/store.ts'
import { openImage, type OpenImage } from '../diff/image-tree.ts'
import { compareTrees, type FileDifference } from '../diff/compare-trees.ts'
import { readSystemFacts } from '../diff/system-facts.ts'
import { followFolders, readText, type ImageTree } from '../diff/tree.ts'
import { ImgError } from '../errors.ts'
import { layerOf } from '../plan/graph.ts'
import type { KeyRecord } from '../plan/key.ts'
import type { LayerName } from '../plan/recipe.ts'
import type { Step } from '../plan/step.ts'
import { labelOf } from '../backends/step-label.ts'
import { findCulprit } from './blame-step.ts'
import { findRecord } from './find-image.ts'
import { lastCommit, type GitCommit } from './git-commit.ts'
import type { Project } from './project.ts'
import { readLocations } from './resource-locations.ts'

export interface Blame {
  /** The path with its slash, or the package's name. */
  readonly subject: string
  readonly layer: string
  readonly key: string
  readonly change: 'brought' | 'changed' | 'removed'
  /** What of a changed file differs from the layer below; versions of a package. */
  readonly what: readonly string[]
  /** The package the file belongs to. */
  readonly package?: string
  /** The step of the layer, when one names it or its package. */
  readonly step?: string
  /** `File[/etc/motd]`. */
  readonly resource?: string
  readonly declaredAt?: string
  readonly commit?: GitCommit
}

/** Newest change first; empty when the layer's image has none of it. Throws RECORD_MISSING when a parent is gone. */
export async function blame(project: Project, layer: string, written: string): Promise<readonly Blame[]> {
  const found: Blame[] = []
  const opened: OpenImage[] = []
  const open = async (record: LayerRecord): Promise<OpenImage> => {
    const image = await openLayer(project, record)
    opened.push(image)
    return image
  }
  try {
    let record: LayerRecord | undefined = await findRecord(project, layer)
    let tree = await open(record)
    const subject = written.startsWith('/') ? `/${followFolders(tree, written)}` : written
    while (record !== undefined) {
      const parent: LayerRecord | undefined = await parentOf(project, record)
      const below: OpenImage | undefined = parent && (await open(parent))
      const change = changeOf(subject, below, tree)
      if (change !== undefined) found.push(await explain(project, { record, subject, change, tree }))
      record = parent
      tree = below ?? tree
    }
    return found
  } finally {
    for (const image of opened) image.close()
  }
}

async function openLayer(project: Project, record: LayerRecord): Promise<OpenImage> {
  const disk = record.artifact['disk.raw']
  if (disk !== undefined) return openImage(await project.store.materialise(disk))
  throw new ImgError('USAGE', `${record.layer} has no disk`, {
    hint: 'name a layer whose artifact is a disk',
    layer: record.layer,
  })
}

/** By the record and not by the imgfile, which may have changed since. */
async function parentOf(project: Project, record: LayerRecord): Promise<LayerRecord | undefined> {
  const { parents } = record.keyRecord as KeyRecord
  const below = Object.entries(record.parents).find(([, { treeDigest }]) => treeDigest === parents['from'])
  if (below === undefined) return undefined
  const [name, { key }] = below
  const found = await project.store.find(key)
  if (found.hit) return found.record
  const parent = `${name} ${key.slice(0, 12)}`
  throw new ImgError(
    'RECORD_MISSING',
    `${record.layer} stands on ${parent}, which is not in the cache: ${found.reason}`,
    {
      hint: `\`img build ${name}\` brings it back unless something of it changed since`,
      layer: record.layer,
    },
  )
}

interface Change {
  readonly change: Blame['change']
  readonly what: readonly string[]
}

function changeOf(subject: string, below: ImageTree | undefined, above: ImageTree): Change | undefined {
  if (!subject.startsWith('/')) {
    const [old, now] = [below, above].map((tree) => tree && readSystemFacts(tree).packages.get(subject))
    if (old === now) return undefined
    const what = old === undefined || now === undefined ? [old ?? now ?? ''] : [`${old} -> ${now}`]
    return { change: old === undefined ? 'brought' : now === undefined ? 'removed' : 'changed', what }
  }
  const path = subject.slice(1)
  const [difference]: readonly FileDifference[] = compareTrees(only(below, path), only(above, path), {
    times: false,
  })
  if (difference === undefined) return undefined
  const { change, what } = difference
  return { change: change === 'added' ? 'brought' : change, what }
}

function only(tree: ImageTree | undefined, path: string): ImageTree {
  const entry = tree?.entries.get(path)
  return { size: 0, parts: [], bootCode: '', entries: new Map(entry === undefined ? [] : [[path, entry]]) }
}

async function explain(
  project: Project,
  about: {
    readonly record: LayerRecord
    readonly subject: string
    readonly change: Change
    readonly tree: ImageTree
  },
): Promise<Blame> {
  const { record, subject, change, tree } = about
  const owner = subject.startsWith('/') ? ownerOf(tree, subject) : undefined
  const { phases } = record.keyRecord as KeyRecord
  const steps = phases.flatMap((phase) => phase.steps as unknown as readonly Step[])
  const culprit = findCulprit(steps, subject) ?? (owner === undefined ? undefined : findCulprit(steps, owner))
  const declaredAt =
    culprit?.resource === undefined
      ? layerPlace(project, record.layer as LayerName)
      : (await readLocations(project, record.layer as LayerName))[culprit.resource]
  const [, path, line] = /^(.*?):(\d+)(?::\d+)?$/.exec(declaredAt ?? '') ?? []
  const commit =
    path === undefined ? undefined : await lastCommit({ path, line: Number(line) }, project.context)
  return {
    subject,
    layer: record.layer,
    key: record.key,
    ...change,
    ...(owner === undefined ? {} : { package: owner }),
    ...(culprit === undefined ? {} : { step: labelOf(culprit.step) }),
    ...(culprit?.resource === undefined ? {} : { resource: culprit.resource }),
    ...(declaredAt === undefined ? {} : { declaredAt }),
    ...(commit === undefined ? {} : { commit }),
  }
}

function layerPlace({ graph, context }: Project, name: LayerName): string | undefined {
  if (!graph.layers.has(name)) return undefined
  const place = layerOf(graph, name).layer.declaredAt
  return place?.startsWith(`${context.root}/`) === true ? place.slice(context.root.length + 1) : place
}

/** What dpkg says in that image. */
function ownerOf(tree: ImageTree, path: string): string | undefined {
  const names = [path, path.replace(/^\/usr\//, '/')]
  for (const list of tree.entries.keys()) {
    const [, name] = /^var\/lib\/dpkg\/info\/([^/:]+)(?::[^/]+)?\.list$/.exec(list) ?? []
    if (name === undefined) continue
    const lines = readText(tree, list)
    if (names.some((one) => lines.includes(`${one}\n`) && lines.split('\n').includes(one))) return name
  }
  return undefined
}
