// A graph of layers as a picture, left to right, without any program that draws. Pure.

export interface DrawnEdge {
  readonly from: string
  readonly to: string
  readonly kind: 'parent' | 'tools'
}

/** `names` has parents first. A layer stands one column right of the last it needs, below those already there. */
export function renderGraphSvg(names: readonly string[], edges: readonly DrawnEdge[]): string {
  const boxes = placeBoxes(names, edges)
  const all = [...boxes.values()]
  const width = Math.max(0, ...all.map((box) => box.x + box.width)) + margin
  const height = Math.max(0, ...all.map((box) => box.y + boxHeight)) + margin
  const lines = edges.map((edge) => drawEdge(edge, boxes))
  const drawn = [...boxes].map(([name, box]) => drawBox(name, box))
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`
  return `${head} font-family="sans-serif" font-size="${fontSize}">\n${lines.join('')}${drawn.join('')}</svg>\n`
}

interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
}

const margin = 16
const boxHeight = 28
const rowGap = 12
const columnGap = 56
const fontSize = 13

function placeBoxes(names: readonly string[], edges: readonly DrawnEdge[]): ReadonlyMap<string, Box> {
  const columnOf = new Map<string, number>()
  const columns: string[][] = []
  for (const name of names) {
    const needs = edges.filter(({ to }) => to === name).map(({ from }) => (columnOf.get(from) ?? 0) + 1)
    const column = Math.max(0, ...needs)
    columnOf.set(name, column)
    ;(columns[column] ??= []).push(name)
  }
  const boxes = new Map<string, Box>()
  let x = margin
  for (const column of columns) {
    // About what a character takes in any sans-serif font.
    const width = Math.ceil(Math.max(...column.map((name) => name.length)) * fontSize * 0.6) + 2 * margin
    for (const [row, name] of column.entries()) {
      boxes.set(name, { x, y: margin + row * (boxHeight + rowGap), width })
    }
    x += width + columnGap
  }
  return boxes
}

function drawEdge({ from, to, kind }: DrawnEdge, boxes: ReadonlyMap<string, Box>): string {
  const [start, end] = [boxes.get(from), boxes.get(to)]
  if (start === undefined || end === undefined) return ''
  const [x1, y1] = [start.x + start.width, start.y + boxHeight / 2]
  const [x2, y2] = [end.x, end.y + boxHeight / 2]
  const bend = columnGap / 2
  const path = `M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`
  const style = kind === 'tools' ? ' stroke-dasharray="4 3"' : ''
  return `<path d="${path}" fill="none" stroke="#888"${style}/>\n`
}

function drawBox(name: string, { x, y, width }: Box): string {
  const text = name.replaceAll(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`)
  const box = `<rect x="${x}" y="${y}" width="${width}" height="${boxHeight}" rx="4" fill="#fff" stroke="#333"/>`
  const label = `<text x="${x + width / 2}" y="${y + boxHeight / 2 + 4}" text-anchor="middle">${text}</text>`
  return `<g>${box}${label}</g>\n`
}
