import type { LocalStore } from '../../cache/open-store.ts'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import { formatTable } from '../reporters/format.ts'
import type { Call, Command } from './command.ts'

export const cachePin: Command = {
  name: 'cache pin',
  summary: 'keep builds whatever gc removes; without a name, list what is pinned',
  arguments: '[builds...]',
  options: [],
  example: 'img cache pin role:ceph-node',
  run: (call, context) =>
    withStore(context, async (store) => {
      for (const name of call.args) {
        const { key, layer } = await findBuild(store, name)
        await store.pin({ key, layer, since: context.now() })
      }
      return printPins(call, store)
    }),
}

export const cacheUnpin: Command = {
  name: 'cache unpin',
  summary: 'let gc remove pinned builds again',
  arguments: '<builds...>',
  options: [],
  example: 'img cache unpin role:ceph-node',
  run: (call, context) =>
    withStore(context, async (store) => {
      const pins = await store.pins()
      for (const name of call.args) {
        const matching = pins.filter(
          ({ key, layer }) => layer === name || (isKeyStart(name) && key.startsWith(name)),
        )
        if (matching.length === 0) {
          throw new ImgError('RECORD_MISSING', `${name} is not pinned`, {
            hint: 'run `img cache pin` to see what is',
            validOptions: [...new Set(pins.map(({ layer }) => layer))],
          })
        }
        for (const { key } of matching) await store.unpin(key)
      }
      return printPins(call, store)
    }),
}

/** A layer's newest build, or a build by the beginning of its key. */
async function findBuild(
  store: LocalStore,
  name: string,
): Promise<{ readonly key: string; readonly layer: string }> {
  const latest = await store.latest(name)
  if (latest !== undefined) return latest
  const found = isKeyStart(name) ? await store.recordsBy(name) : []
  if (found.length === 1) return found[0]!
  throw new ImgError(
    'RECORD_MISSING',
    found.length === 0
      ? `nothing in the cache is called ${name}`
      : `${found.length} builds have keys that begin with ${name}`,
    { hint: 'give a layer that was built, or the beginning of a key as `img show` prints it' },
  )
}

const isKeyStart = (name: string): boolean => /^[0-9a-f]{8,64}$/.test(name)

async function printPins(call: Call, store: LocalStore): Promise<number> {
  const pins = await store.pins()
  const rows = pins.map(({ key, layer, since }) => [
    layer,
    key.slice(0, 12),
    new Date(since).toISOString().slice(0, 10),
  ])
  call.print(
    call.json
      ? { pins }
      : rows.length === 0
        ? 'nothing is pinned\n'
        : formatTable([['layer', 'key', 'since'], ...rows]),
  )
  return 0
}

async function withStore(context: RunContext, run: (store: LocalStore) => Promise<number>): Promise<number> {
  const { openStore } = await import('../../cache/open-store.ts')
  const store = await openStore({ dir: context.cacheDir, now: context.now })
  try {
    return await run(store)
  } finally {
    await store.close()
  }
}
