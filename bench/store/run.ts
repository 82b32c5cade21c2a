// How long the store takes for a disk of about 500 MiB of data, against `cp --sparse=always` and `sha256sum` of the
// same disk in the same run. Usage: jiti bench/store/run.ts [FOLDER [IMAGE]]; FOLDER must be on the disk to measure.

import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, open, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { openStore, type LocalStore } from '../../cache/open-store.ts'
import { runProgram } from '../../tasks/run/process.ts'

const mib = 1024 * 1024

async function main(): Promise<void> {
  const folder = await mkdtemp(join(process.argv[2] ?? tmpdir(), 'img-bench-'))
  try {
    const image = process.argv[3] ?? (await makeImage(folder))
    const data = (await stat(image)).blocks * 512
    console.log(`disk: ${Math.round(data / mib)} MiB allocated`)
    const copy = join(folder, 'copy.raw')
    const baseline = await timed('cp --sparse=always', () => run('cp', '--sparse=always', image, copy))
    await timed('sha256sum (holes included)', () => run('sha256sum', image), baseline)

    const openIt = (): Promise<LocalStore> => openStore({ dir: join(folder, 'cache'), now: Date.now })
    let store = await openIt()
    const put = await timed('put into an empty store', () => store.put({ 'disk.raw': image }), baseline)
    await timed('put again', () => store.put({ 'disk.raw': image }), baseline)
    await changeSome(copy, data)
    await timed('put of a changed copy', () => store.put({ 'disk.raw': copy }), baseline)
    await store.close()

    store = await openIt()
    const file = put.result['disk.raw']!
    await timed('put again, cold start', () => store.put({ 'disk.raw': image }), baseline)
    const out = join(folder, 'out.raw')
    await timed('restore', () => store.restore(file, out), baseline)
    await run('cmp', image, out)
    await rm(out)
    await timed('materialise', () => store.materialise(file), baseline)
    await timed('materialise again', () => store.materialise(file), baseline)
    await timed('verify footers', () => store.verify({ readData: false }), baseline)
    await timed('verify data', () => store.verify({ readData: true }), baseline)
    console.log(file, await store.stats())
    await store.close()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

interface Timed<T> {
  readonly ms: number
  readonly result: T
}

async function timed<T>(name: string, fn: () => Promise<T>, baseline?: Timed<unknown>): Promise<Timed<T>> {
  const [start, cpu] = [performance.now(), process.cpuUsage()]
  const result = await fn()
  const ms = performance.now() - start
  const { user, system } = process.cpuUsage(cpu)
  const ratio = baseline === undefined ? '' : `${(ms / baseline.ms).toFixed(2)} × cp`
  const seconds = `${(ms / 1000).toFixed(2)} s (${((user + system) / 1e6).toFixed(2)} s CPU of ours)`
  console.log(`${name.padEnd(28)} ${seconds.padEnd(30)} ${ratio}`)
  return { ms, result }
}

/** An ext4 disk of 3 GiB holding a part of this machine's /usr. */
async function makeImage(folder: string): Promise<string> {
  const [root, image] = [join(folder, 'root'), join(folder, 'disk.raw')]
  await mkdir(root)
  let size = 0
  for (const name of await readdir('/usr/lib')) {
    const { stdout } = await runProgram(['du', '-sm', join('/usr/lib', name)])
    const found = Number.parseInt(stdout)
    if (size + found > 520) continue
    size += found
    await run('cp', '-a', join('/usr/lib', name), root)
  }
  await run('truncate', '-s', '3G', image)
  await run('mkfs.ext4', '-q', '-d', root, image)
  await rm(root, { recursive: true })
  return image
}

/** 100 places of 16 KiB, the same in every run. */
async function changeSome(path: string, data: number): Promise<void> {
  const file = await open(path, 'r+')
  for (let place = 0; place < 100; place++) {
    const hash = createHash('sha512').update(`place ${place}`).digest()
    const at = Math.floor((hash.readUInt32LE(0) / 2 ** 32) * (data / 4096)) * 4096
    await file.write(Buffer.alloc(16384, hash), 0, 16384, at)
  }
  await file.close()
}

async function run(...argv: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await runProgram(argv)
  if (exitCode !== 0) throw new Error(`${argv.join(' ')} failed: ${stderr}`)
}

await main()
