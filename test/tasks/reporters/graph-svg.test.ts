import { expect, test } from 'vitest'
import { renderGraphSvg } from '../../../tasks/reporters/graph-svg.ts'

const edges = [
  { from: 'tools:a', to: 'install:a', kind: 'tools' },
  { from: 'install:a', to: 'role:b', kind: 'parent' },
  { from: 'install:a', to: 'role:c', kind: 'parent' },
  { from: 'tools:a', to: 'role:c', kind: 'tools' },
] as const

test('parents stand left of what stands on them, and no two boxes overlap', () => {
  const svg = renderGraphSvg(['tools:a', 'install:a', 'role:b', 'role:c'], edges)
  const boxes = [...svg.matchAll(/<rect x="(\d+)" y="(\d+)" width="(\d+)"/g)].map((found) =>
    found.slice(1).map(Number),
  ) as [number, number, number][]
  const [tools, install, b, c] = boxes as [
    (typeof boxes)[0],
    (typeof boxes)[0],
    (typeof boxes)[0],
    (typeof boxes)[0],
  ]
  expect(tools[0] + tools[2]).toBeLessThan(install[0])
  expect(install[0] + install[2]).toBeLessThan(b[0])
  expect(b[0]).toBe(c[0])
  expect(c[1] - b[1]).toBeGreaterThanOrEqual(28)
  expect(svg.match(/<path /g)?.length).toBe(4)
  expect(svg.match(/stroke-dasharray/g)?.length).toBe(2)
  expect(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"')).toBe(true)
})

test('a graph of nothing is a picture of nothing', () => {
  expect(renderGraphSvg([], [])).toContain('width="16" height="16"')
})
