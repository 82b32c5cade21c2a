// Times and sizes for people. Pure.

export function formatDuration(ms: number): string {
  if (Math.round(ms) < 1000) return `${Math.round(ms)} ms`
  if (Math.round(ms / 100) < 100) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
  return `${Math.floor(minutes / 60 / 24)} d ${Math.floor(minutes / 60) % 24} h`
}

export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  let value = bytes
  let index = -1
  while (value >= 1024 && index < units.length - 1) {
    value /= 1024
    index++
  }
  return `${value.toFixed(value < 10 ? 1 : 0)} ${units[index]}`
}

const units = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** Left-aligned columns two spaces apart; the last one is as long as it is, or broken at blanks to fit a terminal. */
export function formatTable(rows: readonly (readonly string[])[], columns?: number): string {
  const widths: number[] = []
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length)
  }
  const line = (row: readonly string[]): string => {
    const left = row.slice(0, -1).map((cell, column) => `${cell.padEnd(widths[column] ?? 0)}  `)
    const indent = left.join('').length
    const room = columns === undefined ? Infinity : columns - indent
    // Where hardly anything fits, the terminal breaks it better.
    const parts = room < leastRoom ? [row.at(-1) ?? ''] : breakLine(row.at(-1) ?? '', room)
    return parts
      .map((part, index) => `${index === 0 ? left.join('') : ' '.repeat(indent)}${part}`.trimEnd())
      .join('\n')
  }
  return rows.map((row) => `${line(row)}\n`).join('')
}

const leastRoom = 20

function breakLine(text: string, room: number): readonly string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= room)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
