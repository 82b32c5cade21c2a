// Looks for secrets in what a build made: everything a disk's file holds, free blocks and swap included.

import { open } from 'node:fs/promises'
import { resolveExtents } from '../../cache/extents.ts'
import { ImgError } from '../errors.ts'
import type { Forms } from './redact.ts'

/** Throws SECRET_LEAKED for the first one found. Compressed copies are not found. */
export async function refuseSecrets(
  files: Readonly<Record<string, string>>,
  secrets: readonly Forms[],
  layer: string,
): Promise<void> {
  if (secrets.length === 0) return
  const wanted = secrets.flatMap(({ name, forms }) =>
    forms.map((form) => ({ name, start: form.subarray(0, enough) })),
  )
  for (const [file, path] of Object.entries(files)) {
    const found = await findFirst(path, wanted)
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

async function findFirst(path: string, wanted: readonly Wanted[]): Promise<Found | undefined> {
  const handle = await open(path, 'r')
  try {
    const { size } = await handle.stat()
    const window = Buffer.alloc(windowSize + enough)
    for (const { start, end } of await resolveExtents(path, size)) {
      // One window reaches into the next by as much as a form is long.
      for (let offset = start; offset < end; offset += windowSize) {
        const { bytesRead } = await handle.read(window, 0, Math.min(window.length, end - offset), offset)
        const part = window.subarray(0, bytesRead)
        const found = findIn(part, wanted)
        if (found !== undefined) return { name: found.name, offset: offset + found.offset }
      }
    }
    return undefined
  } finally {
    await handle.close()
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
