import { expect, onTestFinished, test } from 'vitest'
import type { Changes } from '../../../tasks/run/waker.ts'
import { watchLoop } from '../../../tasks/run/watch-loop.ts'

/** A waker one tells by hand. */
function byHand(): {
  readonly tell: (changes: Changes) => void
  readonly changes: (signal: AbortSignal) => Promise<Changes | undefined>
} {
  const kept: Changes[] = []
  let told: (() => void) | undefined
  return {
    tell: (changes) => {
      kept.push(changes)
      told?.()
    },
    changes: async (signal) => {
      await new Promise<void>((resolve) => {
        told = resolve
        signal.addEventListener('abort', () => resolve())
        if (kept.length > 0 || signal.aborted) resolve()
      })
      return signal.aborted ? undefined : kept.shift()
    },
  }
}

const changed = (path: string, since: number): Changes => ({ paths: [path], since })
const immediately = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('a change that makes nothing pointless has one round after, together with what came behind it', async () => {
  const waker = byHand()
  const stop = new AbortController()
  const seen: (Changes | undefined)[] = []
  let end: (() => void) | undefined
  const looping = watchLoop(
    {
      run: (_signal, changes) => {
        seen.push(changes)
        return new Promise((resolve) => (end = resolve))
      },
      isStale: () => Promise.resolve(false),
    },
    { wake: () => undefined, changes: waker.changes },
    stop.signal,
  )
  waker.tell(changed('/a', 1))
  await immediately()
  waker.tell(changed('/b', 2))
  await immediately()
  expect(seen).toEqual([undefined])
  end?.()
  await immediately()
  expect(seen).toEqual([undefined, { paths: ['/a', '/b'], since: 1 }])
  stop.abort()
  end?.()
  await looping
})

test('a round that became pointless is ended before the next begins, however many listen to its end', async () => {
  const waker = byHand()
  const stop = new AbortController()
  const order: string[] = []
  const warnings: string[] = []
  const note = (warning: Error): void => void warnings.push(warning.name)
  process.on('warning', note)
  onTestFinished(() => void process.off('warning', note))
  const looping = watchLoop(
    {
      run: async (signal, changes) => {
        order.push(`begins ${changes?.paths.join() ?? 'first'}`)
        for (let listeners = 0; listeners < 20; listeners++) signal.addEventListener('abort', () => undefined)
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
        order.push(String(signal.reason))
      },
      isStale: () => Promise.resolve(true),
    },
    { wake: () => undefined, changes: waker.changes },
    stop.signal,
  )
  waker.tell(changed('/a', 1))
  await immediately()
  await immediately()
  expect(order).toEqual(['begins first', 'its inputs changed', 'begins /a'])
  expect(warnings).toEqual([])
  stop.abort('stopped')
  await looping
  expect(order.slice(3)).toEqual(['stopped'])
})
