import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Outcome } from '../../../tasks/plan/outcome.ts'
import type { LayerName } from '../../../tasks/plan/recipe.ts'
import type { ScheduleOptions } from '../../../tasks/run/schedule.ts'
import { built, failed, later, layersOf, scheduled } from './scheduled.ts'

const anyGraph = fc
  .array(
    fc.record({
      needs: fc.array(fc.nat(), { maxLength: 3 }),
      weight: fc.record({ memory: fc.nat(5), machines: fc.nat(2) }),
      expectedMs: fc.option(fc.nat(100), { nil: undefined }),
      fails: fc.nat(9).map((dice) => dice === 0),
    }),
    { maxLength: 25 },
  )
  .map((given) =>
    given.map(({ needs, expectedMs, ...rest }, place) => ({
      ...rest,
      name: `layer:${place}` as LayerName,
      needs: place === 0 ? [] : needs.map((need): LayerName => `layer:${need % place}`),
      ...(expectedMs === undefined ? {} : { expectedMs }),
    })),
  )

const settings = fc.record({
  concurrency: fc.integer({ min: 1, max: 4 }),
  memory: fc.nat(6),
  machines: fc.nat(2),
  seed: fc.integer(),
})

test('property: budgets hold, nothing waits for ever, and no result depends on the order', async () => {
  await fc.assert(
    fc.asyncProperty(anyGraph, settings, async (layers, { seed, ...budgets }) => {
      const byName = new Map<string, (typeof layers)[number]>(layers.map((layer) => [layer.name, layer]))
      const inside = new Set<(typeof layers)[number]>()
      const used = (name: 'memory' | 'machines'): number =>
        [...inside].reduce((sum, { weight }) => sum + Math.min(weight[name], budgets[name]), 0)
      const outcomesWith = async (options: Partial<ScheduleOptions>): Promise<Record<string, string>> => {
        const run = async (name: LayerName): Promise<Outcome> => {
          const layer = byName.get(name) as (typeof layers)[number]
          inside.add(layer)
          expect(inside.size).toBeLessThanOrEqual(budgets.concurrency)
          expect(used('memory')).toBeLessThanOrEqual(budgets.memory)
          expect(used('machines')).toBeLessThanOrEqual(budgets.machines)
          await later()
          inside.delete(layer)
          return layer.fails ? failed : built
        }
        return (await scheduled(layers, { budgets, mode: 'keep-going', run, ...options })).outcomes
      }
      const inOrder = await outcomesWith({})
      const statuses = Object.values(inOrder).map((outcome) => outcome.split(':', 1)[0])
      expect(statuses).toEqual(expectedStatuses(layers))
      expect(await outcomesWith({ seed })).toEqual(inOrder)
    }),
  )
})

/** By definition: a layer fails by itself, is cancelled when one below did not succeed, and is built otherwise. */
function expectedStatuses(
  layers: readonly {
    readonly name: LayerName
    readonly needs: readonly LayerName[]
    readonly fails: boolean
  }[],
): string[] {
  const statuses = new Map<LayerName, string>()
  for (const { name, needs, fails } of layers) {
    const blocked = needs.some((need) => statuses.get(need) !== 'built')
    statuses.set(name, blocked ? 'cancelled' : fails ? 'failed' : 'built')
  }
  return [...statuses.values()]
}

test('one seed gives one order of starting, another seed another', async () => {
  const many = layersOf(Object.fromEntries(Array.from({ length: 9 }, (_, place) => [`a:${place}`, ''])))
  const orders = await Promise.all(
    [1, 1, 2].map(async (seed) => (await scheduled(many, { seed })).seen.started.join(' ')),
  )
  expect(orders[0]).toBe(orders[1])
  expect(orders[0]).not.toBe(orders[2])
})

test('property: after a failure nothing starts', async () => {
  await fc.assert(
    fc.asyncProperty(anyGraph, settings, async (layers, { seed, ...budgets }) => {
      let failures = 0
      const late: string[] = []
      const run = async (name: LayerName): Promise<Outcome> => {
        if (failures > 0) late.push(name)
        await later()
        if (layers.find((layer) => layer.name === name)?.fails !== true) return built
        failures++
        return failed
      }
      await scheduled(layers, { budgets, seed, run })
      expect(late).toEqual([])
    }),
  )
})
