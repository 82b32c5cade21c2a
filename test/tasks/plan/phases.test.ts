import { expect, test } from 'vitest'
import { ImgError } from '../../../tasks/errors.ts'
import { layer } from '../../../tasks/plan/declare.ts'
import { layerOf, makeGraph } from '../../../tasks/plan/graph.ts'
import { makeFacts } from '../../../tasks/plan/inputs.ts'
import { makePhases, type Phase } from '../../../tasks/plan/phases.ts'
import type { Layer, Recipe } from '../../../tasks/plan/recipe.ts'
import { sealSteps } from '../../../tasks/plan/seal.ts'
import type { Step } from '../../../tasks/plan/step.ts'
import { beginning, errorOf, recipe, resolved, run, write } from './sample.ts'

function phasesOf(given: Layer, values: Parameters<typeof makeFacts>[1] = {}): readonly Phase[] {
  const entry = layerOf(makeGraph({ layers: [given] }), given.name)
  return makePhases(entry, makeFacts(entry, values))
}

const tools = layer('tools:trixie', beginning())
const others = layer('tools:bookworm', beginning())
const install = layer('install:x', beginning({ tools }))
const child = (...recipes: Recipe[]): Layer => layer('base:x', recipes, { from: install })
const [seal] = sealSteps()
const archive: Step = { do: 'archive' }
const emit: Step = { do: 'emit', to: 'd', text: '' }

test('recipes of one mode are one phase, sealed at its end', () => {
  const given = child(recipe({ does: [write('/a')] }), recipe({ does: [write('/b'), run('c')] }))
  expect(phasesOf(given)).toEqual([
    { mode: 'chroot', tools: 'tools', steps: [write('/a'), write('/b'), run('c'), seal] },
  ])
})

test('another mode is another phase, sealed where it ends in a chroot', () => {
  const given = child(
    recipe({ does: [write('/a')] }),
    recipe({ mode: 'boot', does: [run('b')] }),
    recipe({ does: [write('/c')] }),
    recipe({ mode: 'export', does: [emit] }),
  )
  expect(phasesOf(given)).toEqual([
    { mode: 'chroot', tools: 'tools', steps: [write('/a'), seal] },
    { mode: 'boot', tools: 'tools', steps: [run('b')] },
    { mode: 'chroot', tools: 'tools', steps: [write('/c'), seal] },
    { mode: 'export', tools: 'tools', steps: [emit] },
  ])
})

test('what was booted is sealed before it is stored or exported', () => {
  const booted = recipe({ mode: 'boot', does: [run('b')] })
  expect(phasesOf(child(booted))).toEqual([
    { mode: 'boot', tools: 'tools', steps: [run('b')] },
    { mode: 'chroot', tools: 'tools', steps: [seal] },
  ])
  expect(phasesOf(child(booted, recipe({ mode: 'export', does: [emit] })))).toEqual([
    { mode: 'boot', tools: 'tools', steps: [run('b')] },
    { mode: 'chroot', tools: 'tools', steps: [seal] },
    { mode: 'export', tools: 'tools', steps: [emit] },
  ])
})

test('another tool tree is another phase', () => {
  const given = child(recipe({ tools: others, does: [run('a')] }), recipe({ tools, does: [run('b')] }))
  expect(phasesOf(given)).toEqual([
    { mode: 'chroot', tools: 'tools', steps: [run('a'), seal] },
    { mode: 'chroot', tools: 'tools.2', steps: [run('b'), seal] },
  ])
})

test('a new root is closed after the last recipe of its phase', () => {
  const given = layer('tools:own', [
    beginning({ does: [write('/a'), archive] }),
    recipe({ does: [write('/b')] }),
  ])
  expect(phasesOf(given)).toEqual([
    { mode: 'chroot', tools: undefined, steps: [write('/a'), write('/b'), seal, archive] },
  ])
})

test('references get the names of the whole layer', () => {
  const apt = {
    kind: 'apt',
    suite: 'trixie',
    components: ['main'],
    updates: true,
    security: true,
  } as const
  const files = { kind: 'files', base: 'etc', patterns: ['**'] } as const
  const given = child(
    recipe({ inputs: { apt }, does: [{ do: 'run', argv: ['x'], apt: 'apt' }] }),
    recipe({
      inputs: { apt, tree: files },
      does: [
        { do: 'apt', apt: 'apt', install: ['b'], remove: [], recommends: true },
        { do: 'copy', input: 'tree', to: '/' },
      ],
    }),
  )
  expect(phasesOf(given)[0]?.steps).toEqual([
    { do: 'run', argv: ['x'], apt: '0.apt' },
    { do: 'apt', apt: '1.apt', install: ['b'], remove: [], recommends: true },
    { do: 'copy', input: '1.tree', to: '/' },
    seal,
  ])
})

test('a recipe gets the values of its inputs', () => {
  const reading = recipe({
    inputs: { cfg: { kind: 'text', path: 'a.cfg' } },
    steps: (facts) => [write('/etc/a', facts.text('cfg').content)],
  })
  const value = { path: 'a.cfg', content: 'read' }
  expect(phasesOf(child(reading), { '0.cfg': resolved({ kind: 'text', value }) })[0]?.steps[0]).toEqual(
    write('/etc/a', 'read'),
  )
})

const byMistake = (): Step[] => {
  throw new TypeError('x is not a function')
}

const onPurpose = (): Step[] => {
  throw new ImgError('PRESEED_INVALID', 'no such key', { path: 'preseed/x.cfg', hint: 'remove it' })
}

const here = { layer: 'base:x', path: 'phases.test.ts', line: 1 }

test('a wrong step names layer, step and recipe', () => {
  const given = child(recipe({ name: 'motd', does: [run('a'), write('etc/motd')] }))
  expect(errorOf(() => phasesOf(given))).toEqual({
    code: 'OPTION_INVALID',
    message: 'layer base:x: step 2 of motd (write): path is "etc/motd", which is not absolute',
    hint: 'for example "/etc/motd"',
    found: 'etc/motd',
    ...here,
  })
})

test('the place of a wrong step is relative to the imgfile', () => {
  const given = child(recipe({ does: [write('etc/motd')] }))
  const graph = makeGraph({ layers: [given] }, import.meta.dirname)
  const entry = layerOf(graph, given.name)
  expect(() => makePhases(entry, makeFacts(entry, {}))).toThrow(
    expect.objectContaining({ fields: expect.objectContaining({ path: 'phases.test.ts' }) }),
  )
})

test('a recipe must return an array', () => {
  const given = child(recipe({ name: 'motd', steps: () => ({}) as Step[] }))
  expect(errorOf(() => phasesOf(given))).toEqual({
    code: 'IMGFILE_INVALID',
    message: 'layer base:x: recipe motd returned no array of steps',
    hint: 'steps() returns an array',
    ...here,
  })
})

test('what a recipe throws by mistake names layer and recipe', () => {
  expect(errorOf(() => phasesOf(child(recipe({ name: 'motd', steps: byMistake }))))).toEqual({
    code: 'IMGFILE_INVALID',
    message: 'layer base:x: recipe motd failed: x is not a function',
    hint: 'this is a mistake in the recipe, not in a build',
    ...here,
  })
})

test('an ImgError of a recipe keeps its words and learns its layer', () => {
  expect(errorOf(() => phasesOf(child(recipe({ steps: onPurpose }))))).toEqual({
    code: 'PRESEED_INVALID',
    message: 'no such key',
    hint: 'remove it',
    layer: 'base:x',
    path: 'x.cfg',
  })
})
