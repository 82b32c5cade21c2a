// A stream that remembers, as wide as a test wants, and what a terminal would show of it.

import type { ReportStream } from '../../../tasks/reporters/reporter.ts'

export interface RecordingStream extends ReportStream {
  isTTY: boolean
  columns: number
  rows: number
  /** As terminals do: lines that are too long now are broken, and stand in several. */
  readonly resize: (columns: number) => void
  /** Everything written, joined. */
  readonly text: () => string
  /** Lines on an endless screen: cursor movements and erasing done, colours dropped. */
  readonly screen: () => string[]
}

export function recordingStream(columns = 80, rows = 24): RecordingStream {
  let written = ''
  const stream: RecordingStream = {
    isTTY: true,
    columns,
    rows,
    write: (text) => (written += text),
    resize: (width) => {
      stream.columns = width
      written += `\u001b[${width}z`
    },
    text: () => written,
    screen: () => playBack(written),
  }
  return stream
}

/** The few sequences log-update writes; any other is an error, so that none is overlooked. */
function playBack(text: string): string[] {
  const lines = ['']
  let [row, column] = [0, 0]
  // oxlint-disable-next-line no-control-regex -- control characters are what is played back
  for (const [token] of text.matchAll(/\u001b\[[?0-9;]*[A-Za-z]|[^]/gu)) {
    if (token === '\n') {
      row++
      column = 0
      lines[row] ??= ''
    } else if (!token.startsWith('\u001b')) {
      const line = (lines[row] ?? '').padEnd(column)
      lines[row] = line.slice(0, column) + token + line.slice(column + token.length)
      column += token.length
    } else {
      const count = Number(token.slice(2, -1)) || 1
      if (token.endsWith('A')) row = Math.max(0, row - count)
      else if (token.endsWith('B')) row += count
      else if (token.endsWith('G')) column = 0
      else if (token.endsWith('z')) {
        // What was erased below the cursor is no line of the screen.
        const above = lines.slice(0, row + 1)
        const broken = above.flatMap((line) => line.match(new RegExp(`.{1,${count}}`, 'g')) ?? [''])
        lines.splice(0, lines.length, ...broken)
        row = lines.length - 1
      } else if (token.endsWith('2K')) lines[row] = ''
      else if (token.endsWith('K')) lines[row] = (lines[row] ?? '').slice(0, column)
      else if (!/(?:m|\?2026[hl])$/.test(token)) throw new Error(`unknown sequence ${JSON.stringify(token)}`)
    }
  }
  while (lines.at(-1) === '') lines.pop()
  return lines
}
