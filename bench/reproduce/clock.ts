// Whether the clock gets into an image: a layer is built from nothing in a machine whose clock is a day ahead, and every
// layer of its chain must have the tree it has here.
//
//   node dist/bench/reproduce/clock.js LAYER CACHE
//
// In the folder of the imgfile, as root; CACHE is that of a finished build. Two hours where there is no KVM.

import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { resolveAcceleration } from '../../tasks/backends/acceleration.ts'
import { guestCredentials } from '../../tasks/backends/guest-script.ts'
import { describeEnding } from '../../tasks/backends/qemu-ending.ts'
import { makeOverlay } from '../../tasks/backends/qemu-files.ts'
import { Machine } from '../../tasks/backends/qemu-machine.ts'
import type { RunContext } from '../../tasks/context.ts'
import { runProgram } from '../../tasks/run/process.ts'
import { chainOf, compareDigests, newest } from './trees.ts'

const [target = 'role:ceph-node', here = ''] = process.argv.slice(2)
const program = fileURLToPath(new URL('../../..', import.meta.url))
const cli = join(program, 'dist/tasks/cli.js')
const folder = mkdtempSync(join(tmpdir(), 'img-clock-'))
process.exitCode = 1
try {
  await compare()
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function compare(): Promise<void> {
  const chain = await chainOf(cli, target, here)
  const trees = new Map([...(await newest(here, chain))].map(([name, { treeDigest }]) => [name, treeDigest]))
  const facts = await buildThere(await makeGuest(), await makeData())
  const built = facts.get('build') ?? ''
  if (built === '') throw new Error('the build in the machine failed, and said why on its console')
  process.stdout.write(`${facts.get('clock')}: ${built}\n`)
  const there = new Map(
    (facts.get('trees') ?? '').split('\n').map((line) => line.split(' ') as [name: string, digest: string]),
  )
  if (compareDigests(chain, trees, there)) process.exitCode = 0
}

/** An image that can build images, by `img` itself. */
async function makeGuest(): Promise<string> {
  const project = join(folder, 'guest')
  mkdirSync(project)
  cpSync('preseed/trixie.cfg', join(project, 'trixie.cfg'))
  cpSync('imgfile.lock', join(project, 'imgfile.lock'))
  writeFileSync(
    join(project, 'imgfile.ts'),
    `import { defineImgfile, layer } from 'imgfile'
import { apt, bootstrap } from 'imgfile/recipes'
const install = layer('install:trixie', bootstrap({ suite: 'trixie', preseed: 'trixie.cfg', disk: '4G' }))
const packages = ['nodejs', 'mmdebstrap', 'qemu-utils', 'xz-utils', 'gpgv']
export default defineImgfile({
  layers: [layer('guest:builder', apt({ suite: 'trixie', install: packages }), { from: install })],
})
`,
  )
  const disk = join(folder, 'guest.raw')
  for (const args of [
    ['build', 'guest:builder'],
    ['export', 'guest:builder', disk],
  ]) {
    await checked([process.execPath, cli, ...args, '--cache-dir', here], project)
  }
  return disk
}

/** The program, the project, and what the build here downloaded. */
async function makeData(): Promise<string> {
  const data = join(folder, 'data')
  for (const name of ['project', 'img', 'cache']) mkdirSync(join(data, name), { recursive: true })
  await checked(['sh', '-euc', 'git archive HEAD | tar -x -C "$1"', 'sh', join(data, 'project')])
  cpSync('imgfile.lock', join(data, 'project/imgfile.lock'))
  for (const name of ['dist', 'node_modules', 'package.json']) {
    cpSync(join(program, name), join(data, 'img', name), { recursive: true, verbatimSymlinks: true })
  }
  cpSync(join(here, 'mirror'), join(data, 'cache/mirror'), { recursive: true })
  const file = join(folder, 'data.raw')
  await checked(['mkfs.ext4', '-q', '-d', data, file, '24G'])
  rmSync(data, { recursive: true })
  return file
}

async function buildThere(disk: string, data: string): Promise<ReadonlyMap<string, string>> {
  const stop = new AbortController()
  const context: RunContext = {
    root: process.cwd(),
    env: process.env,
    cacheDir: here,
    now: Date.now,
    signal: stop.signal,
    emit: () => undefined,
    uid: 0,
    yes: false,
  }
  const { accelerator } = await resolveAcceleration(context)
  const tomorrow = new Date(Date.now() + 24 * 3600_000).toISOString().slice(0, 19)
  const hour = 3600_000
  const machine = new Machine({
    parts: {
      disk: await makeOverlay(disk, folder),
      accelerator,
      firmware: { kind: 'bios' },
      memory: 6144,
      cpus: 2,
      network: { outside: false, forwards: [] },
      credentials: guestCredentials,
      restarts: false,
      console: 'socket',
    },
    script: { text: script(), nonce: randomUUID() },
    limits: { totalMs: 4 * hour, silenceMs: hour, answerMs: hour / 2 },
    enter: (argv) => {
      const drive = `if=none,id=data,file=${data},format=raw,cache=unsafe`
      return [...argv, '-rtc', `base=${tomorrow}`, '-drive', drive, '-device', 'virtio-blk-pci,drive=data']
    },
    onConsole: (text) => process.stderr.write(text),
    signal: stop.signal,
  })
  const ending = await machine.ended
  if (ending.kind !== 'powered-off') throw new Error(`the machine ${describeEnding(ending)}`)
  return new Map(machine.facts.map(({ name, text }) => [name, text]))
}

/** Program, project and cache are on the second disk. Emulated, an imgfile takes longer to load than `img` waits. */
function script(): string {
  return `
mkdir /data && mount /dev/vdb /data
cd /data/project
export IMG_LOAD_TIMEOUT=600
fact clock date --iso-8601=seconds
node=/data/img/dist/tasks/cli.js
fact build sh -c 'node "$1" build "$2" --cache-dir /data/cache 2>/dev/console | tail -n 1' sh $node '${target}'
fact trees node /data/img/dist/bench/reproduce/print-trees.js '${target}' /data/cache
systemctl poweroff
`
}

async function checked(argv: readonly string[], cwd?: string): Promise<void> {
  const { exitCode, stderr } = await runProgram(argv, cwd === undefined ? {} : { cwd })
  if (exitCode !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`)
}
