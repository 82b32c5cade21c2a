// Writes tar streams that depend on nothing but their entries: POSIX headers, and extended ones only where a value does
// not fit. The same entries give the same bytes everywhere.

import type { TarEntry } from './tar-entries.ts'

export interface TarWriter {
  /** Exactly `entry.size` bytes of content follow. */
  entry(entry: TarEntry): void
  content(part: Uint8Array): void
  end(): void
}

export interface TarWriterOptions {
  /** Contents of files begin at multiples of this many bytes, so that a store finds them again; 512 by default. */
  readonly align?: number
}

export function openTarWriter(
  write: (bytes: Uint8Array) => void,
  { align = block }: TarWriterOptions = {},
): TarWriter {
  let offset = 0
  let left = 0
  const put = (bytes: Uint8Array): void => {
    offset += bytes.length
    write(bytes)
  }
  const pad = (): void => {
    const missing = (block - (offset % block)) % block
    if (missing > 0) put(Buffer.alloc(missing))
  }
  return {
    entry: (entry) => {
      if (left > 0) throw new Error(`${left} bytes of content are missing before ${entry.path}`)
      pad()
      const records = paxRecords(entry)
      const extended = withComment(
        records,
        entry.type === '0' && entry.size > 0 ? { offset, align } : undefined,
      )
      if (extended.length > 0) {
        put(header({ ...plain, path: 'PaxHeader', type: 'x', size: extended.length }))
        put(extended)
        pad()
      }
      put(header(entry))
      left = entry.type === '0' ? entry.size : 0
    },
    content: (part) => {
      left -= part.length
      put(part)
    },
    end: () => {
      pad()
      put(Buffer.alloc(2 * block))
    },
  }
}

const block = 512

const plain: TarEntry = {
  path: '',
  type: '0',
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: 0,
  link: '',
  device: '',
  attributes: {},
}

/** What the header has no room for, in the order of the names. */
function paxRecords(entry: TarEntry): readonly (readonly [name: string, value: string])[] {
  const records: [string, string][] = []
  if (entry.path.length > 100) records.push(['path', entry.path])
  if (entry.link.length > 100) records.push(['linkpath', entry.link])
  if (entry.size > maxSize) records.push(['size', String(entry.size)])
  if (entry.uid > maxId) records.push(['uid', String(entry.uid)])
  if (entry.gid > maxId) records.push(['gid', String(entry.gid)])
  for (const [name, value] of Object.entries(entry.attributes)) records.push([`SCHILY.xattr.${name}`, value])
  return records.toSorted(([one], [other]) => (one < other ? -1 : 1))
}

const maxSize = 0o77777777777
const maxId = 0o7777777

/** A comment of the length that moves the content to where it is wanted. */
function withComment(
  records: readonly (readonly [string, string])[],
  place: { readonly offset: number; readonly align: number } | undefined,
): Buffer {
  const encoded = records.map(([name, value]) => encodeRecord(name, value))
  const own = Buffer.concat(encoded)
  if (place === undefined) return own
  const contentAt = (extended: number): number =>
    place.offset + (extended === 0 ? 0 : block + Math.ceil(extended / block) * block) + block
  if (contentAt(own.length) % place.align === 0) return own
  for (let length = 1; ; length++) {
    const all = Buffer.concat([own, encodeRecord('comment', ' '.repeat(length * 256))])
    if (contentAt(all.length) % place.align === 0) return all
  }
}

/** `length name=value\n`, where the length counts itself. */
function encodeRecord(name: string, value: string): Buffer {
  const rest = ` ${name}=${value}\n`.length
  let length = rest + 1
  while (String(length).length + rest !== length) length = String(length).length + rest
  return Buffer.from(`${length} ${name}=${value}\n`, 'latin1')
}

function header(entry: TarEntry): Buffer {
  const bytes = Buffer.alloc(block)
  const text = (value: string, start: number, length: number): void =>
    void bytes.write(value.slice(0, length), start, length, 'latin1')
  const number = (value: number, start: number, length: number): void =>
    text(value.toString(8).padStart(length - 1, '0'), start, length - 1)
  text(entry.type === '5' ? `${entry.path}/` : entry.path, 0, 100)
  number(entry.mode, 100, 8)
  number(Math.min(entry.uid, maxId), 108, 8)
  number(Math.min(entry.gid, maxId), 116, 8)
  number(entry.size > maxSize ? 0 : entry.size, 124, 12)
  number(entry.mtime, 136, 12)
  text(' '.repeat(8), 148, 8)
  text(entry.type, 156, 1)
  text(entry.link, 157, 100)
  text('ustar', 257, 5)
  text('00', 263, 2)
  const [major = '0', minor = '0'] = entry.device.split(':')
  number(Number(major), 329, 8)
  number(Number(minor), 337, 8)
  const sum = bytes.reduce((total, byte) => total + byte, 0)
  text(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8)
  return bytes
}
