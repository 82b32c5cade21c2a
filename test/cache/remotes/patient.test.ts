import { expect, test } from 'vitest'
import { openBudget, patientRemote, type Budget } from '../../../cache/remotes/patient.ts'
import { type Remote, RemoteError, type RemoteFault } from '../../../cache/remotes/remote.ts'
import { reading, signal } from '../../contract/remote.ts'

interface Bench {
  readonly remote: Remote
  readonly waits: number[]
  readonly givenUp: string[]
  readonly asked: () => number
  readonly pass: (ms: number) => void
}

/** A remote that answers what the script says, and then well; time is the test's. */
function openBench(
  script: readonly (RemoteFault | RemoteError)[],
  budget: Budget = openBudget(),
  slowMs = 0,
): Bench {
  const [waits, givenUp]: [number[], string[]] = [[], []]
  let [asked, now] = [0, 0]
  const act = async (): Promise<Buffer> => {
    const fault = script[asked++]
    if (fault === 'slow') now += slowMs
    if (fault instanceof RemoteError) throw fault
    if (fault !== undefined) throw new RemoteError(fault, `no: ${fault}`)
    return Buffer.from('fine')
  }
  const inner: Remote = {
    name: 'inner',
    read: act,
    has: async () => (await act()).length > 0,
    create: async () => (await act(), 'created'),
  }
  const remote = patientRemote(inner, budget, {
    now: () => now,
    sleep: async (ms) => {
      waits.push(ms)
      now += ms
    },
    random: () => 0.5,
    onGivenUp: ({ message }) => givenUp.push(message),
  })
  return { remote, waits, givenUp, asked: () => asked, pass: (ms) => void (now += ms) }
}

test('what passes is tried again, waiting longer each time', async () => {
  const { remote, waits } = openBench(['unreachable', 'slow', 'busy'])
  expect((await remote.read('x', reading()))?.toString()).toBe('fine')
  expect(waits).toEqual([250, 500, 1000])
})

test('after four tries it is a failure', async () => {
  const { remote, asked } = openBench(['busy', 'busy', 'busy', 'busy'])
  await expect(remote.has('x', signal)).rejects.toMatchObject({ fault: 'busy' })
  expect(asked()).toBe(4)
})

test.each(['denied', 'answer'] as const)('%s does not get better by asking again', async (fault) => {
  const { remote, waits } = openBench([fault])
  await expect(remote.read('x', reading())).rejects.toMatchObject({ fault })
  expect(waits).toEqual([])
})

test('a server says how long to wait, but not for ever', async () => {
  const { remote, waits } = openBench([later(3000), later(10 ** 9)])
  await remote.create('x', Buffer.alloc(1), { signal })
  expect(waits).toEqual([3000, 10_000])
})

test('all waiting of a build comes out of one budget', async () => {
  const budget = { left: 600 }
  const first = openBench(['busy', 'busy'], budget)
  await expect(first.remote.read('x', reading())).rejects.toMatchObject({ fault: 'busy' })
  expect(first.waits).toEqual([250])
  const second = openBench(['slow', 'slow'], budget)
  await expect(second.remote.read('x', reading())).rejects.toMatchObject({ fault: 'slow' })
  expect(second.waits).toEqual([250])
  expect(budget.left).toBe(100)
})

test('standing still comes out of the same budget, and when that is spent one failure is enough', async () => {
  const slow = openBench(['slow', 'slow', 'slow'], openBudget(), 20_000)
  await expect(slow.remote.read('x', reading())).rejects.toMatchObject({ fault: 'slow' })
  expect([slow.asked(), slow.waits, slow.givenUp]).toEqual([2, [250], ['no: slow']])
  await expect(slow.remote.read('x', reading())).rejects.toMatchObject({ fault: 'closed' })
})

test('after three failures it is left alone for 30 s, and then asked once', async () => {
  const down: RemoteFault[] = Array.from({ length: 13 }, () => 'unreachable')
  const { remote, asked, givenUp, pass } = openBench(down, { left: Infinity })
  for (let time = 0; time < 3; time++)
    await expect(remote.read('x', reading())).rejects.toMatchObject({ fault: 'unreachable' })
  expect(asked()).toBe(12)
  expect(givenUp).toEqual(['no: unreachable'])
  await expect(remote.read('x', reading())).rejects.toMatchObject({
    fault: 'closed',
    message: 'inner failed too often and is left alone for now',
  })
  expect(asked()).toBe(12)
  pass(30_000)
  expect((await remote.read('x', reading()))?.toString()).toBe('fine')
  expect((await remote.read('x', reading()))?.toString()).toBe('fine')
})

test('what was interrupted counts for nothing', async () => {
  const controller = new AbortController()
  controller.abort()
  const { remote, givenUp, asked } = openBench(['slow', 'slow', 'slow'])
  for (let time = 0; time < 3; time++)
    await expect(remote.read('x', reading({ signal: controller.signal }))).rejects.toMatchObject({
      fault: 'slow',
    })
  expect([asked(), givenUp]).toEqual([3, []])
})

const later = (retryAfterMs: number): RemoteError => new RemoteError('busy', 'later', { retryAfterMs })
