import { expect, test } from 'vitest'
import { renderPlan } from '../../../tasks/commands/plan.ts'

test('a table, with the time and size the history knows, and the sum', () => {
  const layers = [
    { name: 'tools:trixie', action: 'skip', reason: 'not needed: what stands on it is cached', key: 'a' },
    { name: 'install:a', action: 'reuse', reason: 'cached', key: 'b' },
    {
      name: 'base:a',
      action: 'build',
      reason: 'puppet/site.pp changed',
      key: 'c',
      expectedMs: 41_000,
      expectedBytes: 350_000_000,
    },
    { name: 'role:new', action: 'build', reason: 'never built', key: 'd' },
    {
      name: 'role:b',
      action: 'undecided',
      reason: 'base:a is built first; if it comes out as before, reused',
    },
  ] as const
  const expected = {
    builds: 2,
    perhaps: 1,
    workMs: 60_000,
    criticalMs: 41_000,
    criticalPath: ['base:a', 'role:b'],
    unknown: 1,
    fetchBytes: 0,
    diskBytes: 700_000_000,
  } as const
  expect(renderPlan({ layers }, expected)).toMatchInlineSnapshot(`
    "action     layer         time  size     reason
    skip       tools:trixie  -     -        not needed: what stands on it is cached
    reuse      install:a     -     -        cached
    build      base:a        41 s  334 MiB  puppet/site.pp changed
    build      role:new      -     -        never built
    undecided  role:b        -     -        base:a is built first; if it comes out as before, reused
    2 to build and perhaps 1 more: 1 min 0 s of work, at least 41 s (base:a -> role:b), 1 never built, so without a time, up to 668 MiB of disk
    "
  `)
})

test('without anything to build there is no sum', () => {
  expect(
    renderPlan(
      {
        layers: [{ name: 'install:a', action: 'fetch', reason: 'cached in ci', key: 'b', expectedBytes: 0 }],
      },
      nothing,
    ),
  ).toBe('action  layer      size  reason\nfetch   install:a  0 B   cached in ci\n')
})

const nothing = {
  builds: 0,
  perhaps: 0,
  workMs: 0,
  criticalMs: 0,
  criticalPath: [],
  unknown: 0,
  fetchBytes: 0,
  diskBytes: 0,
}
