// The only file that imports lzma-native; loaded only where an .xz file is met.

import type { Transform } from 'node:stream'

export async function createXzDecoder(): Promise<Transform> {
  const { default: lzma } = await import('lzma-native')
  return lzma.createDecompressor()
}
