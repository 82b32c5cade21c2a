// What building a layer costs beside its steps (the parent's disk, cleaning, tree digest, storing it), in a copy and on
// an overlay, in one run. Usage, as root: jiti bench/store/child.ts FOLDER PARENT.raw TOOLS [MEBIBYTES]; TOOLS is an
// unpacked tool tree (a folder of `tools/` of a cache), MEBIBYTES what the layer writes.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { openStore } from '../../cache/open-store.ts'
import type { Work } from '../../tasks/backends/backend.ts'
import { namespaceBackend } from '../../tasks/backends/namespace.ts'
import type { RunContext } from '../../tasks/context.ts'
import type { Step } from '../../tasks/plan/step.ts'

async function main(
  [parentDisk = '', tools = '', mebibytes = '45']: readonly string[],
  folder: string,
): Promise<void> {
  const store = await openStore({ dir: join(folder, 'cache'), now: Date.now })
  const parent = (await store.put({ 'disk.raw': parentDisk }))['disk.raw']!
  const base = await store.materialiseBase(parent)
  const write = `mkdir /opt/own; head -c ${mebibytes}M /dev/urandom | split -b 64k - /opt/own/; sync`
  const steps: readonly Step[] = [
    { do: 'run', argv: ['sh', '-c', write], label: 'writing' },
    { do: 'seal', epoch: 1_577_836_800 },
  ]
  const seconds: number[] = []
  for (const kind of ['in a copy', 'on an overlay']) {
    const directory = join(folder, kind.replaceAll(' ', '-'))
    await mkdir(directory)
    await writeFile(`${directory}.log`, '')
    const work: Work = {
      layer: 'bench:child',
      key: '0'.repeat(64),
      mode: 'chroot',
      arch: 'amd64',
      steps,
      parentDisk: base[0]!,
      ...(kind === 'in a copy' ? {} : { parentBelow: base.slice(1) }),
      chain: [],
      tools,
      inputs: {},
      apt: {},
      directory,
      log: `${directory}.log`,
    }
    const starts: number[] = []
    const context: RunContext = {
      root: folder,
      env: {},
      cacheDir: folder,
      now: Date.now,
      signal: new AbortController().signal,
      emit: ({ event }) => void (event === 'step-start' && starts.push(performance.now())),
      uid: 0,
      yes: true,
    }
    const began = performance.now()
    const { files, isOverlay, treeDigest } = await namespaceBackend().run(work, context)
    const built = performance.now()
    const made = files['disk.raw']!
    const file = (await store.put({ 'disk.raw': isOverlay === true ? { overlay: made, parent } : made }))[
      'disk.raw'
    ]!
    const ended = performance.now()
    const [first = began, seal = began] = starts
    const rest = ended - began - (seal - first)
    seconds.push(rest / 1000)
    const parts = [first - began, seal - first, built - seal, ended - built].map((ms) =>
      (ms / 1000).toFixed(2),
    )
    console.log(
      `${kind.padEnd(14)} before the step ${parts[0]} s, the step ${parts[1]}, seal to tree digest ${parts[2]}, put ${parts[3]}`,
    )
    console.log(
      `  beside the step ${(rest / 1000).toFixed(2)} s, added ${(file.addedBytes / 2 ** 20).toFixed(1)} MiB, tree ${treeDigest}`,
    )
    await rm(directory, { recursive: true })
  }
  console.log(`on an overlay / in a copy: ${(seconds[1]! / seconds[0]!).toFixed(2)}`)
  await store.close()
}

const [at = '', ...rest] = process.argv.slice(2)
const folder = await mkdtemp(join(at, 'img-bench-'))
try {
  await main(rest, folder)
} finally {
  await rm(folder, { recursive: true, force: true })
}
