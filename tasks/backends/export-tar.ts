// A tar archive in a file, and its digest.

import { createHash } from 'node:crypto'
import { closeSync, openSync, writeSync } from 'node:fs'
import { openTarWriter, type TarWriter, type TarWriterOptions } from './tar-writer.ts'

/** sha256 of what was written. */
export async function writeTar(
  file: string,
  fill: (writer: TarWriter) => Promise<void>,
  options: TarWriterOptions = {},
): Promise<string> {
  const descriptor = openSync(file, 'wx')
  const hash = createHash('sha256')
  let waiting: Uint8Array[] = []
  let bytes = 0
  const flush = (): void => {
    const all = Buffer.concat(waiting)
    for (let done = 0; done < all.length;) done += writeSync(descriptor, all, done)
    waiting = []
    bytes = 0
  }
  try {
    const writer = openTarWriter((part) => {
      hash.update(part)
      // A part may be a piece of a buffer that is used again.
      waiting.push(Uint8Array.prototype.slice.call(part))
      bytes += part.length
      if (bytes >= mostWaiting) flush()
    }, options)
    await fill(writer)
    writer.end()
    flush()
  } finally {
    closeSync(descriptor)
  }
  return hash.digest('hex')
}

const mostWaiting = 1024 * 1024
