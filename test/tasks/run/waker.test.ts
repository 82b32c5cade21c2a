import { expect, onTestFinished, test } from 'vitest'
import { makeWaker, type Waker } from '../../../tasks/run/waker.ts'

interface Clock {
  readonly waker: Waker
  /** Lets the time pass, timers go off on the way, and whoever waits for them go on. */
  readonly pass: (ms: number) => Promise<void>
  readonly timers: () => number
}

function withClock(): Clock {
  let time = 1000
  const timers = new Map<object, { readonly at: number; readonly ring: () => void }>()
  const waker = makeWaker({
    now: () => time,
    timer: (ms, then) => {
      const id = {}
      timers.set(id, { at: time + ms, ring: then })
      return () => timers.delete(id)
    },
  })
  const pass = async (ms: number): Promise<void> => {
    const end = time + ms
    await settle()
    for (;;) {
      const [next] = [...timers].filter(([, { at }]) => at <= end).toSorted((a, b) => a[1].at - b[1].at)
      if (next === undefined) break
      timers.delete(next[0])
      time = next[1].at
      next[1].ring()
      await settle()
    }
    time = end
  }
  return { waker, pass, timers: () => timers.size }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const never = new AbortController().signal

test('changes are told together when it has been quiet for 100 ms, each path once', async () => {
  const { waker, pass } = withClock()
  const told: unknown[] = []
  void waker.changes(never).then((changes) => told.push(changes))
  waker.wake('/a')
  await pass(90)
  waker.wake('/b')
  waker.wake('/a')
  await pass(90)
  expect(told).toEqual([])
  await pass(10)
  expect(told).toEqual([{ paths: ['/a', '/b'], since: 1000 }])
})

test('what never gets quiet is told two seconds after its first', async () => {
  const { waker, pass } = withClock()
  const told: unknown[] = []
  void waker.changes(never).then((changes) => told.push(changes))
  for (let ms = 0; ms < 1950; ms += 50) {
    waker.wake('/a')
    await pass(50)
  }
  expect(told).toEqual([])
  waker.wake('/a')
  await pass(50)
  expect(told).toEqual([{ paths: ['/a'], since: 1000 }])
})

test('what nobody waited for is kept, and told once', async () => {
  const { waker, pass } = withClock()
  waker.wake('/a')
  await pass(500)
  expect(await waker.changes(never)).toEqual({ paths: ['/a'], since: 1000 })
  const giveUp = new AbortController()
  const waiting = waker.changes(giveUp.signal)
  giveUp.abort()
  expect(await waiting).toBeUndefined()
})

test('who gives up in the middle loses nothing and leaves no timer', async () => {
  const { waker, pass, timers } = withClock()
  const giveUp = new AbortController()
  waker.wake('/a')
  const waiting = waker.changes(giveUp.signal)
  await pass(10)
  expect(timers()).toBe(1)
  giveUp.abort()
  expect(await waiting).toBeUndefined()
  expect(timers()).toBe(0)
  const next = waker.changes(never)
  await pass(100)
  expect(await next).toEqual({ paths: ['/a'], since: 1000 })
})

test('a clock that is put back an hour holds nothing back for an hour', async () => {
  let time = 3_600_000
  const waits: number[] = []
  const waker = makeWaker({
    now: () => time,
    timer: (ms, then) => {
      waits.push(ms)
      time += ms
      const id = setImmediate(then)
      return () => clearImmediate(id)
    },
  })
  waker.wake('/a')
  time = 0
  expect(await waker.changes(never)).toEqual({ paths: ['/a'], since: 3_600_000 })
  expect(waits).toEqual([])
})

test('a long burst leaves no listeners behind', async () => {
  const { waker, pass } = withClock()
  const warnings: string[] = []
  const note = (warning: Error): void => void warnings.push(warning.name)
  process.on('warning', note)
  onTestFinished(() => void process.off('warning', note))
  const waiting = waker.changes(AbortSignal.any([new AbortController().signal]))
  for (let ms = 0; ms < 2000; ms += 50) {
    waker.wake('/a')
    await pass(50)
  }
  expect(await waiting).toMatchObject({ paths: ['/a'] })
  expect(warnings).toEqual([])
})
