import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { errnoOf } from '../store-error.ts'

/** Size and sha512 of a file; undefined when there is none. */
export async function hashFile(
  path: string,
): Promise<{ readonly size: number; readonly sha512: string } | undefined> {
  const hash = createHash('sha512')
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
  return { size, sha512: hash.digest('hex') }
}
