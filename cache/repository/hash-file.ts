import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { errnoOf } from '../store-error.ts'

/** Size and digest of a file; undefined when there is none. */
export async function hashFile(
  path: string,
  algorithm: string,
): Promise<{ readonly size: number; readonly digest: string } | undefined> {
  const hash = createHash(algorithm)
  let size = 0
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
      hash.update(chunk as Buffer)
      size += (chunk as Buffer).length
    }
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined
    throw cause
  }
  return { size, digest: hash.digest('hex') }
}
