import { expect, test } from 'vitest'
import type { Outcome } from '../../../tasks/plan/outcome.ts'
import { schedule, weightOf } from '../../../tasks/run/schedule.ts'
import { recipe } from '../plan/sample.ts'
import { built, error, failed, interrupted, later, layersOf, scheduled } from './scheduled.ts'

const diamond = layersOf({ 'a:1': '', 'b:1': 'a:1', 'b:2': 'a:1', 'c:1': 'b:1 b:2' })

test('everything runs, after what it needs', async () => {
  const { outcomes, seen } = await scheduled(diamond)
  expect(outcomes).toEqual({ 'a:1': 'built', 'b:1': 'built', 'b:2': 'built', 'c:1': 'built' })
  expect(seen).toEqual({ started: ['a:1', 'b:1', 'b:2', 'c:1'], aborted: [], most: 2 })
})

test('nothing to do', async () => {
  expect((await scheduled([])).outcomes).toEqual({})
})

test('needs that are not scheduled count as done', async () => {
  expect((await scheduled(layersOf({ 'b:1': 'a:1' }))).outcomes).toEqual({ 'b:1': 'built' })
})

test('what the longest way leads through starts first', async () => {
  const times: Readonly<Record<string, number>> = { 'a:1': 10, 'a:2': 20, 'a:3': 5, 'b:3': 50, 'b:1': 1 }
  const layers = layersOf({ 'a:1': '', 'a:2': '', 'a:3': '', 'b:1': 'a:1', 'b:3': 'a:3' }).map((layer) => ({
    ...layer,
    expectedMs: times[layer.name] ?? 0,
  }))
  const { seen } = await scheduled(layers, { budgets: { concurrency: 1 } })
  expect(seen.started).toEqual(['a:3', 'b:3', 'a:2', 'a:1', 'b:1'])
})

test('without history the longest chain starts first, then as given', async () => {
  const layers = layersOf({ 'x:1': '', 'a:1': '', 'b:1': 'a:1', 'c:1': 'b:1' })
  const { seen } = await scheduled(layers, { budgets: { concurrency: 1 } })
  expect(seen.started).toEqual(['a:1', 'b:1', 'x:1', 'c:1'])
})

test('a layer that became ready goes before one of less rank that waited longer', async () => {
  const layers = layersOf({ 'a:1': '', 'x:1': '', 'x:2': '', 'b:1': 'a:1', 'c:1': 'b:1' })
  const { seen } = await scheduled(layers, { budgets: { concurrency: 1 } })
  expect(seen.started).toEqual(['a:1', 'b:1', 'x:1', 'x:2', 'c:1'])
})

const failing = layersOf({ 'a:1': '', 'a:2': '', 'b:1': 'a:1', 'b:2': 'a:2', 'c:1': 'b:1', 'x:1': '' })
const firstFails = (name: string): Outcome => (name === 'a:1' ? failed : built)

test('fail-fast: what runs ends, nothing more starts', async () => {
  const { outcomes, seen } = await scheduled(failing, { ends: firstFails })
  expect(outcomes).toEqual({
    'a:1': 'failed',
    'a:2': 'built',
    'b:1': 'cancelled: a:1 failed',
    'b:2': 'cancelled: a:1 failed',
    'c:1': 'cancelled: a:1 failed',
    'x:1': 'cancelled: a:1 failed',
  })
  expect(seen).toEqual({ started: ['a:1', 'a:2'], aborted: [], most: 2 })
})

test('keep-going: everything that does not stand on the failed layer is built', async () => {
  const { outcomes, seen } = await scheduled(failing, { ends: firstFails, mode: 'keep-going' })
  expect(outcomes).toEqual({
    'a:1': 'failed',
    'a:2': 'built',
    'b:1': 'cancelled: a:1 failed',
    'b:2': 'built',
    'c:1': 'cancelled: a:1 failed',
    'x:1': 'built',
  })
  expect(seen.started).toEqual(['a:1', 'a:2', 'b:2', 'x:1'])
})

test('keep-going: several failures, each names its own', async () => {
  const { outcomes } = await scheduled(failing, {
    ends: (name) => (name.startsWith('a:') ? failed : built),
    mode: 'keep-going',
  })
  expect(outcomes).toEqual({
    'a:1': 'failed',
    'a:2': 'failed',
    'b:1': 'cancelled: a:1 failed',
    'b:2': 'cancelled: a:2 failed',
    'c:1': 'cancelled: a:1 failed',
    'x:1': 'built',
  })
})

test('kill: what runs is aborted and counts as cancelled', async () => {
  const { outcomes, seen } = await scheduled(failing, {
    ends: (name) => (name === 'a:2' ? 'hangs' : firstFails(name)),
    mode: 'kill',
  })
  expect(outcomes).toMatchObject({
    'a:1': 'failed',
    'a:2': 'cancelled: a:1 failed',
    'x:1': 'cancelled: a:1 failed',
  })
  expect(seen.aborted).toEqual(['a:2'])
})

test('what ended well although it was aborted ended well', async () => {
  const { outcomes } = await scheduled(failing, {
    mode: 'kill',
    run: async (name) => {
      await later()
      if (name === 'a:1') return failed
      await later()
      return built
    },
  })
  expect(outcomes).toMatchObject({ 'a:1': 'failed', 'a:2': 'built', 'b:2': 'cancelled: a:1 failed' })
})

test('an interrupt aborts what runs and cancels the rest', async () => {
  const stop = new AbortController()
  const { outcomes, seen } = await scheduled(failing, {
    signal: stop.signal,
    ends: (name) => {
      if (name === 'a:2') stop.abort()
      return 'hangs'
    },
  })
  expect(new Set(Object.values(outcomes))).toEqual(new Set(['cancelled: interrupted']))
  expect(seen.aborted.toSorted()).toEqual(['a:1', 'a:2'])
})

test('an interrupt before the start', async () => {
  const { outcomes, seen } = await scheduled(diamond, { signal: AbortSignal.abort() })
  expect(new Set(Object.values(outcomes))).toEqual(new Set(['cancelled: interrupted']))
  expect(seen.started).toEqual([])
})

test('an ImgError that is thrown is a failure, timed', async () => {
  let clock = 100
  const outcomes = await schedule(diamond, {
    budgets: { concurrency: 1 },
    mode: 'fail-fast',
    signal: new AbortController().signal,
    now: () => (clock += 7),
    run: () => Promise.reject(error),
  })
  expect(outcomes.get('a:1')).toEqual({ status: 'failed', error, ms: 7 })
})

test('a mistake is thrown, after all that runs has ended', async () => {
  let ended = 0
  const layers = layersOf({ 'a:1': '', 'a:2': '', 'b:1': 'a:1' })
  const run = async (name: string, signal: AbortSignal): Promise<Outcome> => {
    if (name === 'a:1') throw new TypeError('x is not a function')
    while (!signal.aborted) await later()
    ended++
    return interrupted()
  }
  await expect(scheduled(layers, { run })).rejects.toThrow(new TypeError('x is not a function'))
  expect(ended).toBe(1)
})

test('the heaviest recipe is the weight of a layer', () => {
  const recipes = [
    recipe({ weight: { memory: 3 } }),
    recipe({ weight: { memory: 2, machines: 1 } }),
    recipe(),
  ]
  expect(weightOf({ recipes })).toEqual({ memory: 3, machines: 1 })
})
