// Long lines for a terminal, broken where words end instead of in the middle of a name. Pure.

/** Each line broken to the columns; what goes on stands four further in. Without columns, and output of others, as it is. */
export function fitLines(text: string, columns: number | undefined): string {
  if (columns === undefined) return text
  return text
    .split('\n')
    .flatMap((line) => (isOutput(line) ? [line] : fitLine(line, columns)))
    .join('\n')
}

/** A guest's own line, which somebody may look for as it is. */
const isOutput = (line: string): boolean => /^\s*(?:\S+ )?\| /.test(line)

function fitLine(line: string, columns: number): readonly string[] {
  if (line.length <= columns) return [line]
  const indent = line.length - line.trimStart().length
  const [first = '', ...words] = breakLine(line.trimStart(), columns - indent)
  const further = indent + 4
  return [
    ' '.repeat(indent) + first,
    ...breakLine(words.join(' '), columns - further).map((part) => ' '.repeat(further) + part),
  ]
}

/** Pieces no longer than the room, but for words that are. */
export function breakLine(text: string, room: number): readonly string[] {
  if (text === '') return []
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= room)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
