import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'

/** Calls back for every whole line of a socket; one that is cut off by the other end's death is dropped. */
export function readLines(socket: Readable, onLine: (line: string) => void): void {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  socket.on('data', (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.trim() !== '') onLine(line)
  })
  // The other end may die at any moment; that it ended is learnt from its exit.
  socket.on('error', () => undefined)
}
