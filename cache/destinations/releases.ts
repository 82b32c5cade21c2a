// Which files of a folder are of which release, so that old ones can go. Pure but for reading and writing the list.

import { join } from 'node:path'
import { ImgError } from '../../tasks/errors.ts'
import { syncPath, writeDurably } from '../durable.ts'
import { readIfThere } from '../read-if-there.ts'
import type { OwnFolders } from './alone-in-folder.ts'

export interface Releases {
  readonly format: 1
  /** Whose files these are: two would replace each other's. */
  readonly layer: string
  /** The oldest first. */
  readonly releases: readonly Release[]
}

export interface Release {
  readonly id: string
  /** Those that never change under their names, below the folder. */
  readonly files: readonly string[]
  /** When another one was published, ms since 1970. */
  readonly replaced?: number
}

/** The current one is the last, and the others are replaced since `now`. */
export function addRelease({ releases, ...list }: Releases, own: Release, now: number): Releases {
  const others = releases
    .filter(({ id }) => id !== own.id)
    .map((one) => ({ ...one, replaced: one.replaced ?? now }))
  return { ...list, releases: [...others, own] }
}

/** Without those replaced for an hour, but for the newest `keep` of them; and the files only they had. */
export function dropReleases(
  { releases, ...list }: Releases,
  { keep, now }: { readonly keep: number; readonly now: number },
): { readonly list: Releases; readonly files: readonly string[] } {
  const replaced = releases.filter((one) => one.replaced !== undefined)
  const old = replaced
    .slice(0, Math.max(0, replaced.length - keep))
    .filter((one) => now - one.replaced! >= graceMs)
  const left = releases.filter((one) => !old.includes(one))
  const used = new Set(left.flatMap(({ files }) => files))
  const files = new Set(old.flatMap((one) => one.files).filter((file) => !used.has(file)))
  return { list: { ...list, releases: left }, files: [...files] }
}

export async function loadReleases(own: string, layer: string): Promise<Releases> {
  const path = join(own, listName)
  const text = await readIfThere(path)
  if (text === undefined) return { format: 1, layer, releases: [] }
  const found = parseReleases(text)
  if (found === undefined) {
    throw new ImgError('REPOSITORY_INVALID', `${path} is no list of releases`, {
      path,
      hint: 'remove it: old files are then kept for ever, and nothing else is lost',
    })
  }
  if (found.layer === layer) return found
  throw new ImgError('REPOSITORY_INVALID', `${path} says that these are the files of ${found.layer}`, {
    path,
    hint: `publish ${layer} to a folder of its own, or remove that file to replace them`,
    found: found.layer,
    wanted: layer,
  })
}

export async function saveReleases(list: Releases, { own, tmp }: OwnFolders): Promise<void> {
  await writeDurably(join(own, listName), `${JSON.stringify(list, undefined, 1)}\n`, tmp)
  await syncPath(own)
}

function parseReleases(text: string): Releases | undefined {
  try {
    const found = JSON.parse(text) as Releases
    const names = found.releases.flatMap(({ files }) => files)
    const isOurs = found.format === 1 && typeof found.layer === 'string' && names.every(isBelow)
    return isOurs ? found : undefined
  } catch {
    return undefined
  }
}

/** What this list names may be removed. */
const isBelow = (name: string): boolean => /^(?:[0-9a-f]{16}\/)?[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)

const listName = 'releases.json'
const graceMs = 3_600_000
