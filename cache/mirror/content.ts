// Downloaded bytes by their sha256, beside make-fetch-happen's cache and laid out as cacache does (content-v2), since
// that cache is keyed by URL and a mirror's URL is this machine's own. Nothing is read that was not verified.

import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, existsSync, mkdirSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ImgError } from '../../tasks/errors.ts'

export interface Digested {
  readonly sha256: string
  readonly size: number
}

/** A digest alone is enough to know the bytes, not how many to expect. */
export interface Wanted {
  readonly sha256: string
  readonly size?: number
}

export interface Content {
  /** The verified file, or undefined when it is not there; one that was damaged is removed and so not there. */
  find(sha256: string): Promise<string | undefined>
  read(sha256: string): Promise<Buffer | undefined>
  /** Keeps a stream when it is what was wanted; else throws WrongContent and keeps nothing. */
  put(source: AsyncIterable<Uint8Array>, wanted: Wanted): Promise<void>
  /** Keeps bytes under their own digest and returns it. */
  keep(bytes: Uint8Array): Promise<string>
}

export class WrongContent extends Error {
  override readonly name = 'WrongContent'
}

/** `directory` is `<cacheDir>/mirror`. */
export function openContent(directory: string): Content {
  const parts = openParts(directory)
  const verified = new Set<string>()

  const pathOf = (sha256: string): string =>
    `${directory}/content-v2/sha256/${sha256.slice(0, 2)}/${sha256.slice(2, 4)}/${sha256.slice(4)}`

  const find = async (sha256: string): Promise<string | undefined> => {
    const path = pathOf(sha256)
    if (verified.has(sha256) && existsSync(path)) return path
    const found = await digestOf(path)
    if (found === undefined) return undefined
    if (found !== sha256) {
      await rm(path, { force: true })
      return undefined
    }
    verified.add(sha256)
    return path
  }

  const put = async (source: AsyncIterable<Uint8Array>, wanted: Wanted): Promise<void> => {
    const part = parts.next()
    try {
      await writeVerified(part, source, wanted)
      const path = pathOf(wanted.sha256)
      await mkdir(dirname(path), { recursive: true })
      // Not fsynced: a file torn by a power cut fails its digest at the next `find` and is fetched again.
      await rename(part, path)
      verified.add(wanted.sha256)
    } catch (error) {
      await rm(part, { force: true })
      throw asDiskFull(error, directory)
    }
  }

  return {
    find,
    put,
    async read(sha256) {
      const path = await find(sha256)
      return path === undefined ? undefined : await readFile(path)
    },
    async keep(bytes) {
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      if ((await find(sha256)) === undefined) await put(once(bytes), { sha256, size: bytes.length })
      return sha256
    },
  }
}

/** Names for unfinished files, with the process in them, so that those of a killed process are told apart and removed. */
function openParts(directory: string): { next(): string } {
  const folder = `${directory}/img-tmp`
  try {
    mkdirSync(folder, { recursive: true })
    for (const name of readdirSync(folder)) {
      if (!existsSync(`/proc/${name.split('-')[0]}`)) rmSync(`${folder}/${name}`, { force: true })
    }
  } catch (cause) {
    throw new ImgError('CACHE_UNWRITABLE', `cannot write into the package cache ${directory}`, {
      hint: 'set IMG_CACHE_DIR to a folder you may write to',
      cause,
    })
  }
  const self = readlinkSync('/proc/self')
  const opened = randomUUID()
  let count = 0
  return { next: () => `${folder}/${self}-${opened}-${(count += 1)}` }
}

async function digestOf(path: string): Promise<string | undefined> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }))
      hash.update(chunk as Buffer)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  return hash.digest('hex')
}

async function writeVerified(part: string, source: AsyncIterable<Uint8Array>, wanted: Wanted): Promise<void> {
  const hash = createHash('sha256')
  let size = 0
  const file = await open(part, 'wx', 0o644)
  try {
    for await (const chunk of source) {
      size += chunk.length
      // A mirror that never stops sending must not fill the disk.
      if (wanted.size !== undefined && size > wanted.size)
        throw new WrongContent(`longer than the ${wanted.size} bytes it should have`)
      hash.update(chunk)
      await file.writeFile(chunk)
    }
  } finally {
    await file.close()
  }
  if (wanted.size !== undefined && size < wanted.size)
    throw new WrongContent(`ends after ${size} of ${wanted.size} bytes`)
  const sha256 = hash.digest('hex')
  if (sha256 !== wanted.sha256) throw new WrongContent(`has sha256 ${sha256} instead of ${wanted.sha256}`)
}

function asDiskFull(error: unknown, directory: string): unknown {
  const code = (error as NodeJS.ErrnoException).code
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error
  return new ImgError('DISK_FULL', `no space left for packages in ${directory}`, {
    hint: 'free some space with `img cache gc`, or set IMG_CACHE_DIR to a folder on a larger disk',
    cause: error,
  })
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes)
}
