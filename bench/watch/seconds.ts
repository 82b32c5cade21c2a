// Seconds from saving a manifest to the finished layer, without those of puppet itself: what `img watch` adds.
//
//   node dist/bench/watch/seconds.js LAYER CACHE [EDITS] [OTHER]
//
// As root, in the folder of the imgfile; CACHE is that of a finished build, and is only read. OTHER is the cli.js of
// another installation, measured in turns with this one's.

import { rmSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openEditor } from './editors.ts'
import { copyProject } from './project-copy.ts'
import { openStates } from './states.ts'
import { startWatched, type Told, type Watched } from './watched.ts'

const [target = 'role:openstack-network', finished = '', edits = '5', other] = process.argv.slice(2)
const own = fileURLToPath(new URL('../../tasks/cli.js', import.meta.url))
/** Of what is beside puppet, on a quiet machine of two cores. */
const mostSeconds = 15
process.exitCode = 1
const all: Seconds[][] = []
for (const cli of other === undefined ? [own] : [other, own]) all.push(await measure(cli))
const [before, after] = all.map((rows) => median(rows.map(({ beside }) => beside)))
const last = all.at(-1) ?? []
const parts = Object.keys(last[0] ?? {}).map((name) => {
  const value = median(last.map((row) => row[name as keyof Seconds]))
  return `${name} ${value.toFixed(1)} s`
})
const ratio =
  after === undefined ? '' : `; ${(after / (before ?? 1)).toFixed(2)} of the other's ${before?.toFixed(1)} s`
process.stdout.write(`${target}, median of ${edits}: ${parts.join(', ')}${ratio}\n`)
if ((after ?? before ?? Infinity) <= mostSeconds) process.exitCode = 0

/** One edit's. */
interface Seconds {
  readonly total: number
  /** From its start to its report. */
  readonly puppet: number
  readonly beside: number
  /** What `beside` is made of: until it was noticed, asked what it means, made ready, and after puppet. */
  readonly noticing: number
  readonly asking: number
  readonly preparing: number
  readonly finishing: number
}

async function measure(cli: string): Promise<Seconds[]> {
  const { folder, root, cache } = copyProject(finished)
  let watched: Watched | undefined
  try {
    const filesOf = openStates(root, target)
    const editor = openEditor(root, filesOf({}))
    watched = startWatched({ cli, root, cache, layer: target })
    await watched.next(0, ({ event }) => event === 'watching')
    const rows: Seconds[] = []
    for (let number = 1; number <= Number(edits); number += 1) {
      await watched.quiet()
      const from = watched.events.length
      await editor.save(filesOf({ resource: number }), () => 0)
      const saved = Date.now()
      await watched.next(from, ({ event }) => event === 'round-end')
      rows.push(split(watched.events.slice(from), saved))
      await wait(1000)
    }
    return rows
  } finally {
    watched?.kill()
    await watched?.ended
    rmSync(folder, { recursive: true, force: true })
  }
}

function split(events: readonly Told[], saved: number): Seconds {
  const at = (fits: (told: Told) => boolean): number => (events.find(fits)?.time ?? NaN) / 1000
  const changed = at(({ event }) => event === 'changed')
  const begun = at(({ event, layer }) => event === 'layer-start' && layer === target)
  const applied = at(({ event, label }) => event === 'step-start' && label?.startsWith('puppet') === true)
  const reported = at(({ event }) => event === 'puppet')
  const ended = at(({ event }) => event === 'round-end')
  const start = saved / 1000
  return {
    total: ended - start,
    puppet: reported - applied,
    beside: ended - start - (reported - applied),
    noticing: changed - start,
    asking: begun - changed,
    preparing: applied - begun,
    finishing: ended - reported,
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, two) => one - two)
  return sorted[Math.floor(sorted.length / 2)] ?? NaN
}
