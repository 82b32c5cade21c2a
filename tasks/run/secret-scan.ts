// Looks for secrets in what a build made: everything a disk's file holds, free blocks and swap included.

import { type BlockSource, noSource, openRawSource } from '../../cache/block-source.ts'
import { type Extent, mergeExtents } from '../../cache/extents.ts'
import type { Overlay } from '../../cache/put-files.ts'
import { openQcow2 } from '../../cache/qcow2.ts'
import { ImgError } from '../errors.ts'
import type { Forms } from './redact.ts'
import { resolveExtents } from '../../cache/resolve-extents.ts'

/** Throws SECRET_LEAKED for the first one found. Compressed copies are not found. */
export async function refuseSecrets(
  files: Readonly<Record<string, string | Overlay>>,
  secrets: readonly Forms[],
  layer: string,
): Promise<void> {
  if (secrets.length === 0) return
  const wanted = secrets.flatMap(({ name, forms }) =>
    forms.map((form) => ({ name, start: form.subarray(0, enough) })),
  )
  for (const [file, made] of Object.entries(files)) {
    const found = findFirst(await openOwn(made), wanted)
    if (found === undefined) continue
    throw new ImgError(
      'SECRET_LEAKED',
      `layer ${layer}: the secret ${found.name} is on ${file}, at byte ${found.offset}`,
      {
        layer,
        hint: 'nothing was recorded; see which program keeps it (a log, a configuration file, a cache), and change the secret',
      },
    )
  }
}

/** Bytes of a form that are looked for: enough to be sure, and less than what programs put on one line. */
const enough = 48

interface Wanted {
  readonly name: string
  readonly start: Buffer
}

interface Found {
  readonly name: string
  readonly offset: number
}

interface Own {
  readonly source: BlockSource
  readonly extents: readonly Extent[]
}

/** Of an overlay, what the layer wrote: its parent was looked at when that was built. */
async function openOwn(made: string | Overlay): Promise<Own> {
  if (typeof made === 'string') {
    const source = openRawSource(made)
    return { source, extents: await resolveExtents(made, source.size) }
  }
  const source = openQcow2(made.overlay, noSource)
  const written = source.own.filter(({ file }) => file !== undefined)
  return { source, extents: mergeExtents(written, source.size) }
}

function findFirst({ source, extents }: Own, wanted: readonly Wanted[]): Found | undefined {
  try {
    const window = Buffer.alloc(windowSize + enough)
    for (const { start, end } of extents) {
      // One window reaches into the next by as much as a form is long.
      for (let offset = start; offset < end; offset += windowSize) {
        const part = window.subarray(0, Math.min(window.length, end - offset))
        source.read(offset, part)
        const found = findIn(part, wanted)
        if (found !== undefined) return { name: found.name, offset: offset + found.offset }
      }
    }
    return undefined
  } finally {
    source.close()
  }
}

function findIn(part: Buffer, wanted: readonly Wanted[]): Found | undefined {
  for (const { name, start } of wanted) {
    const offset = part.indexOf(start)
    if (offset !== -1) return { name, offset }
  }
  return undefined
}

const windowSize = 4 * 1024 * 1024
