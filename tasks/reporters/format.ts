// Times and sizes for people. Pure.

import { breakLine } from './fit-lines.ts'

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
    return fitCell(left.join(''), row.at(-1) ?? '', columns)
  }
  return rows.map((row) => `${line(row)}\n`).join('')
}

/** Beside the others where it fits, below itself where there is room, else below them. */
function fitCell(left: string, cell: string, columns: number | undefined): string {
  const room = (columns ?? Infinity) - left.length
  if (columns === undefined || cell.length <= room) return `${left}${cell}`.trimEnd()
  const [first = '', ...more] =
    room < leastRoom ? [left.trimEnd(), ...breakLine(cell, columns - 4)] : breakLine(cell, room)
  const indent = ' '.repeat(room < leastRoom ? 4 : left.length)
  const start = room < leastRoom ? first : left + first
  return [start, ...more.map((part) => indent + part)].join('\n')
}

const leastRoom = 40
