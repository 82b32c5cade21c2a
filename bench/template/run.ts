// What the template of a changed image costs, against `xz -T2 --best --block-size=16777216` of the same disk in the same
// run. Usage: jiti bench/template/run.ts BEFORE.raw AFTER.raw [FOLDER]; the disks are those of one layer, as
// `img export` writes them, before and after a change.

import { mkdtemp, open, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { compressXz, type Compressed, type XzOptions } from '../../cache/compress-xz.ts'
import { openStore, type LocalStore } from '../../cache/open-store.ts'
import { runProgram } from '../../tasks/run/process.ts'

async function main(): Promise<void> {
  const [before, after, parent = tmpdir()] = process.argv.slice(2)
  if (before === undefined || after === undefined) throw new Error('which disks? BEFORE.raw AFTER.raw')
  const folder = await mkdtemp(join(parent, 'img-bench-'))
  const at = (name: string): string => join(folder, name)
  const stores: LocalStore[] = []
  const memory = async (name: string): Promise<XzOptions['memory']> => {
    const store = await openStore({ dir: at(name), now: Date.now })
    stores.push(store)
    return store
  }
  try {
    const shared = await memory('shared')
    const first = await timed('before, nothing remembered', () =>
      compressXz(before, at('1.xz'), { memory: shared }),
    )
    const change = await timed('after, the rest remembered', () =>
      compressXz(after, at('2.xz'), { memory: shared }),
    )
    const fresh = await memory('fresh')
    const full = await timed('after, nothing remembered', () =>
      compressXz(after, at('3.xz'), { memory: fresh }),
    )
    const xz = await timed('xz -T2 --best', () => runXz(after, at('4.xz')))
    for (const name of ['3.xz', '4.xz']) {
      const { exitCode } = await runProgram(['cmp', at('2.xz'), at(name)])
      console.log(
        `cmp with ${name === '3.xz' ? 'our own full compression' : 'xz'}: ${exitCode === 0 ? 'equal' : 'DIFFERS'}`,
      )
      if (exitCode !== 0) process.exitCode = 1
    }
    console.log(`${availableParallelism()} cores; first full compression ${describe(first.result)}`)
    const toXz = ({ seconds }: Timed<unknown>): string => (seconds / xz.seconds).toFixed(3)
    console.log(`processor time, change / xz: ${toXz(change)}; full / xz: ${toXz(full)}`)
    // Blocks that differ are compressed at the speed of xz; the rest must cost next to nothing.
    if (change.seconds > 0.6 * xz.seconds) process.exitCode = 1
  } finally {
    for (const store of stores) await store.close()
    await rm(folder, { recursive: true, force: true })
  }
}

interface Timed<T> {
  /** Of the processor, this process and `xz` alike: what else the machine does changes little of it. */
  readonly seconds: number
  readonly result: T
}

async function timed<T>(name: string, fn: () => Promise<T>): Promise<Timed<T>> {
  const before = process.cpuUsage()
  const start = performance.now()
  const result = await fn()
  const passed = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(before)
  const seconds = (user + system) / 1e6 + (typeof result === 'number' ? result : 0)
  const blocks = isCompressed(result) ? `, ${describe(result)}` : ''
  console.log(`${name.padEnd(28)} ${passed.toFixed(1)} s, ${seconds.toFixed(1)} of the processor${blocks}`)
  return { seconds, result }
}

const isCompressed = (result: unknown): result is Compressed =>
  typeof result === 'object' && result !== null && 'compressedBlocks' in result

const describe = ({ blocks, compressedBlocks, compressedSize }: Compressed): string =>
  `${compressedBlocks} of ${blocks} blocks compressed, ${Math.round(compressedSize / 2 ** 20)} MiB`

/** Seconds of the processor. */
async function runXz(disk: string, to: string): Promise<number> {
  const out = await open(to, 'wx')
  await out.close()
  const script = 'xz -T2 --best --block-size=16777216 --stdout -- "$1" > "$2"; times'
  const { exitCode, stderr, stdout } = await runProgram(['sh', '-euc', script, 'sh', disk, to])
  if (exitCode !== 0) throw new Error(stderr)
  // The shell's own, then its children's: minutes and seconds, user and system.
  const spent = [...(stdout.split('\n')[1] ?? '').matchAll(/(\d+)m([\d.]+)s/g)]
  return spent.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0)
}

await main()
