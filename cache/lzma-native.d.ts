// lzma-native brings no types; this is what we use of it.
declare module 'lzma-native' {
  import type { Transform } from 'node:stream'
  const lzma: {
    createDecompressor(): Transform
    createStream(
      coder: 'easyEncoder',
      options: { preset: number; blockSize: number; threads: number; check: number },
    ): Transform
    versionString(): string
    readonly CHECK_CRC64: number
  }
  export default lzma
}
