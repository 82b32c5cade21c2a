// Contents that differ less than their bytes say. Pure but for reading the bytes it is given.

import { createHash } from 'node:crypto'

/**
 * Of both texts, 12 hexadecimal digits; an absent one is empty. UUIDs count as one: an installer makes new ones each
 * time, and the disk's own difference says so.
 */
export function textDigest(before: Buffer, after: Buffer): string {
  const said = [before, after].map((text) => text.toString('latin1').replaceAll(uuids, 'UUID'))
  return createHash('sha256').update(JSON.stringify(said)).digest('hex').slice(0, 12)
}

const uuids = /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|(?<=UUID=)[0-9A-F]{4}-[0-9A-F]{4}\b/g

export function sameLines(before: Buffer, after: Buffer): boolean {
  const [old, now] = [before, after].map((text) => text.toString('latin1').split('\n').toSorted().join('\n'))
  return old === now
}

/**
 * Python's header is four words: version, flags, and then date and size of the source (flags 0) or its hash, which is
 * checked (flags 3). The third kind is believed unchecked, and is no way to hide code that differs from its source.
 */
export function sameBytecode(before: Buffer, after: Buffer): boolean {
  if (Math.min(before.length, after.length) < headerBytes) return false
  return (
    before.subarray(0, 4).equals(after.subarray(0, 4)) &&
    isChecked(before) &&
    isChecked(after) &&
    before.subarray(headerBytes).equals(after.subarray(headerBytes))
  )
}

const isChecked = (code: Buffer): boolean => [0, 3].includes(code.readUInt32LE(4))

const headerBytes = 16
