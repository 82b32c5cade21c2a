import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'

/**
 * Calls back for every whole line of a socket. One that is cut off by the other end's death is dropped, and so is one of
 * more than `longest` characters: whoever writes may never end it.
 */
export function readLines(
  socket: Readable,
  onLine: (line: string) => void,
  longest: number = 64 * 1024 * 1024,
): void {
  const decoder = new StringDecoder('utf8')
  let begun = ''
  socket.on('data', (chunk: Buffer) => {
    for (const [place, piece] of decoder.write(chunk).split('\n').entries()) {
      if (place > 0) {
        if (begun.length <= longest && begun.trim() !== '') onLine(begun)
        begun = ''
      }
      // What is too long already is not added to.
      if (begun.length <= longest) begun += piece
    }
  })
  // The other end may die at any moment; that it ended is learnt from its exit.
  socket.on('error', () => undefined)
}
