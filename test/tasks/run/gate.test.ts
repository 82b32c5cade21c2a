import { expect, test } from 'vitest'
import { type Budgets, Gate, type Weight } from '../../../tasks/run/gate.ts'

/** Enters everything at once and tells who is in after each turn; `leave` lets one go. */
function crowd(
  budgets: Budgets,
  weights: Readonly<Record<string, Weight>>,
): {
  readonly inside: Set<string>
  readonly turnedAway: string[]
  readonly leave: (name: string) => Promise<string>
  readonly look: () => Promise<string>
  readonly gate: Gate
} {
  const gate = new Gate(budgets)
  const inside = new Set<string>()
  const turnedAway: string[] = []
  for (const [rank, [name, weight]] of Object.entries(weights).entries()) {
    void gate.enter(rank, weight).then((admitted) => {
      if (admitted) inside.add(name)
      else turnedAway.push(name)
    })
  }
  const look = async (): Promise<string> => {
    await new Promise(setImmediate)
    await new Promise(setImmediate)
    return [...inside].join(' ')
  }
  const leave = (name: string): Promise<string> => {
    inside.delete(name)
    gate.leave(weights[name])
    return look()
  }
  return { inside, turnedAway, leave, look, gate }
}

test('as many as may, the best ranked first', async () => {
  const { look, leave } = crowd({ concurrency: 2 }, { a: {}, b: {}, c: {}, d: {} })
  expect(await look()).toBe('a b')
  expect(await leave('b')).toBe('a c')
  expect(await leave('a')).toBe('c d')
})

test('concurrency is at least one', async () => {
  const { look, leave } = crowd({ concurrency: 0.5 }, { a: {}, b: {} })
  expect(await look()).toBe('a')
  expect(await leave('a')).toBe('b')
})

test('light ones pass one that waits for what they do not need', async () => {
  const machine = { machines: 1 }
  const { look, leave } = crowd({ concurrency: 2, machines: 1 }, { a: machine, b: machine, c: {}, d: {} })
  expect(await look()).toBe('a c')
  expect(await leave('c')).toBe('a d')
  expect(await leave('a')).toBe('d b')
})

test('nobody takes what the first in line waits for', async () => {
  const { look, leave } = crowd(
    { concurrency: 9, memory: 8 },
    { a: { memory: 4 }, b: { memory: 4 }, big: { memory: 8 }, c: { memory: 1 }, d: {} },
  )
  expect(await look()).toBe('a b d')
  expect(await leave('a')).toBe('b d')
  expect(await leave('b')).toBe('d big')
  expect(await leave('big')).toBe('d c')
})

test('nobody takes what the first in line will need besides', async () => {
  const { look, leave } = crowd(
    { concurrency: 9, memory: 8, machines: 1 },
    { a: { memory: 8 }, both: { memory: 8, machines: 1 }, c: { machines: 1 } },
  )
  expect(await look()).toBe('a')
  expect(await leave('a')).toBe('both')
  expect(await leave('both')).toBe('c')
})

test('more than there is counts as all there is', async () => {
  const { look, leave } = crowd(
    { concurrency: 9, memory: 8, machines: 0 },
    { big: { memory: 100 }, b: { memory: 1 }, machine: { machines: 3 } },
  )
  expect(await look()).toBe('big machine')
  expect(await leave('big')).toBe('machine b')
})

test('fractions add up to nothing left', async () => {
  const weights = { a: { memory: 0.1 }, b: { memory: 0.2 }, all: { memory: 1 } }
  const { look, leave } = crowd({ concurrency: 9, memory: 1 }, weights)
  expect(await look()).toBe('a b')
  await leave('a')
  expect(await leave('b')).toBe('all')
})

test('closing turns away who waits and who comes', async () => {
  const { look, gate, turnedAway, inside } = crowd({ concurrency: 1 }, { a: {}, b: {}, c: {} })
  await look()
  gate.close()
  expect(await gate.enter(0)).toBe(false)
  await look()
  expect([[...inside], turnedAway]).toEqual([['a'], ['b', 'c']])
})
