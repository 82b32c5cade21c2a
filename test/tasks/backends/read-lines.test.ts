import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { readLines } from '../../../tasks/backends/read-lines.ts'

it('gives whole lines, whatever the pieces, and drops one that was cut off', () => {
  const stream = new PassThrough()
  const lines: string[] = []
  readLines(stream, (line) => lines.push(line))
  for (const byte of Buffer.from('eins\nzwölf\n\n  \ndrei\nabgeschn'))
    stream.emit('data', Buffer.from([byte]))
  stream.emit('error', new Error('the other end died'))
  expect(lines).toEqual(['eins', 'zwölf', 'drei'])
})

it('keeps no more of a line than it may be long', () => {
  const stream = new PassThrough()
  const lines: string[] = []
  readLines(stream, (line) => lines.push(line), 4)
  for (const piece of ['eins\n', 'zw', 'ölf', '!!!!', '!!!!\ndr', 'ei\n'])
    stream.emit('data', Buffer.from(piece))
  expect(lines).toEqual(['eins', 'drei'])
})
