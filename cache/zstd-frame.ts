// Pure. How much a zstd frame can decode to, from its headers alone (RFC 8878 §3.1.1): checked before decoding, since
// a hostile frame of a few bytes can stand for gigabytes and not every implementation takes a limit.

/** Undefined: not exactly one well-formed frame, or one that could decode to more than `maxDecoded`. */
export function decodedBound(frame: Uint8Array, maxDecoded: number = 8 * 1024 * 1024): number | undefined {
  const start = blocksStart(frame)
  if (start === undefined) return undefined
  let at = start
  let bound = 0
  for (;;) {
    if (at + 3 > frame.length) return undefined
    const header = frame[at]! | (frame[at + 1]! << 8) | (frame[at + 2]! << 16)
    const last = header & 1
    const type = (header >> 1) & 3
    const size = header >> 3
    if (type === 3 || size > blockMax) return undefined
    bound += type === 2 ? blockMax : size
    at += 3 + (type === 1 ? 1 : size)
    if (bound > maxDecoded) return undefined
    if (last === 1) break
  }
  const end = at + (hasChecksum(frame) ? 4 : 0)
  return end === frame.length ? bound : undefined
}

const blockMax = 128 * 1024

const hasChecksum = (frame: Uint8Array): boolean => (frame[4]! & 4) !== 0

function blocksStart(frame: Uint8Array): number | undefined {
  const magic = [0x28, 0xb5, 0x2f, 0xfd]
  if (frame.length < 6 || magic.some((byte, at) => frame[at] !== byte)) return undefined
  const descriptor = frame[4]!
  const singleSegment = (descriptor & 0x20) !== 0
  // A dictionary, a reserved bit or a declared size beyond 32 bits is nothing we wrote.
  if ((descriptor & 0x0b) !== 0 || descriptor >> 6 === 3) return undefined
  const sizeBytes = [singleSegment ? 1 : 0, 2, 4][descriptor >> 6]!
  if (declaredSize(frame, singleSegment ? 5 : 6, sizeBytes) > 8 * 1024 * 1024) return undefined
  // Window of at most 8 MiB: exponent 13 over 1 KiB.
  if (!singleSegment && frame[5]! >> 3 > 13) return undefined
  return 5 + (singleSegment ? 0 : 1) + sizeBytes
}

function declaredSize(frame: Uint8Array, at: number, bytes: number): number {
  let size = 0
  for (let i = bytes - 1; i >= 0; i--) size = size * 256 + (frame[at + i] ?? 0)
  return size
}
