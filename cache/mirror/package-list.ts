// Packages files: which package files an archive state consists of. Read as a stream, one has 60 MB and 70,000 entries.

import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { createXzDecoder } from '../xz.ts'
import type { Digested } from './content.ts'

export interface ListedPackage extends Digested {
  readonly name: string
  readonly version: string
  /** Below the archive's base URL: `pool/main/h/hello/hello_2.10-5_amd64.deb`. */
  readonly file: string
}

/** `file` is an unpacked or compressed list on disk; `index` its path in the archive, whose end says which. */
export async function readPackageList(
  { file, index }: { readonly file: string; readonly index: string },
  each: (listed: ListedPackage) => void,
): Promise<void> {
  const source = createReadStream(file, { highWaterMark: 256 * 1024 })
  const decoder = index.endsWith('.xz')
    ? await createXzDecoder()
    : index.endsWith('.gz')
      ? createGunzip()
      : undefined
  // Errors of either stream arrive at the loop below.
  const bytes = decoder === undefined ? source : pipeline(source, decoder, () => undefined)
  const parser = makeListParser(each)
  for await (const chunk of bytes) parser.write(chunk as Buffer)
  parser.end()
}

/** Pure but for `each`. Fields may come in any order; a paragraph without file or sha256 is not a package. */
export function makeListParser(each: (listed: ListedPackage) => void): {
  write(chunk: Buffer): void
  end(): void
} {
  let rest = ''
  let fields: Record<string, string> = {}
  const endParagraph = (): void => {
    const { Package: name, Version: version, Filename: file, SHA256: sha256, Size: size } = fields
    if (name && version && file && size && sha256) each({ name, version, file, sha256, size: Number(size) })
    fields = {}
  }
  const readLine = (line: string): void => {
    if (line === '') return endParagraph()
    const colon = line.indexOf(':')
    if (colon > 0 && wanted.has(line.slice(0, colon)))
      fields[line.slice(0, colon)] = line.slice(colon + 1).trim()
  }
  return {
    // latin1: only ASCII fields are read, and a character split between two chunks cannot hurt.
    write(chunk) {
      const lines = (rest + chunk.toString('latin1')).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) readLine(line)
    },
    end() {
      readLine(rest)
      endParagraph()
    },
  }
}

const wanted: ReadonlySet<string> = new Set(['Package', 'Version', 'Filename', 'SHA256', 'Size'])
