// The store beside borg, restic, casync and ostree on one chain of disks: bytes stored, seconds to add and to restore.
// Usage: jiti bench/store/chain.ts FOLDER NAME=IMAGE…; the first image is the base, the others its children; after a
// name `rebuild` the base is no parent (`rebuild-web=IMAGE` is a child built from scratch). Peers that are not
// installed are left out; ostree needs root, to mount what it reads.

import { mkdir, rm, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { performance } from 'node:perf_hooks'
import { openStore } from '../../cache/open-store.ts'
import type { ArtifactFile } from '../../cache/store.ts'
import { findProgram } from '../../tasks/run/find-program.ts'
import { runProgram } from '../../tasks/run/process.ts'

interface Image {
  readonly name: string
  readonly path: string
}

interface Peer {
  readonly name: string
  /** Programs it needs. */
  readonly needs: readonly string[]
  /** Shell lines; $DIR is the peer's own folder, $I the image, $N its name, $OUT a file to restore to. */
  readonly init: string
  readonly add: string
  readonly restore?: string
  readonly env?: Readonly<Record<string, string>>
}

const borg = (chunker: string): Pick<Peer, 'needs' | 'init' | 'add' | 'restore' | 'env'> => ({
  needs: ['borg'],
  env: { BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes' },
  init: 'BORG_BASE_DIR=$DIR/home borg init -e none $DIR/repo',
  add: `BORG_BASE_DIR=$DIR/home borg create --sparse -C zstd,3 --chunker-params ${chunker} $DIR/repo::$N $I`,
  restore:
    'mkdir $DIR/x; cd $DIR/x; BORG_BASE_DIR=$DIR/home borg extract --sparse ../repo::$N; mv $(find . -type f) $OUT; rm -r $DIR/x',
})

const peers: readonly Peer[] = [
  { name: 'borg fixed 4 MiB', ...borg('fixed,4194304') },
  { name: 'borg default', ...borg('buzhash,19,23,21,4095') },
  {
    name: 'restic',
    needs: ['restic'],
    env: { RESTIC_PASSWORD: 'x' },
    init: 'RESTIC_CACHE_DIR=$DIR/home restic -q init --repository-version 2 -r $DIR/repo',
    add: 'RESTIC_CACHE_DIR=$DIR/home restic -q -r $DIR/repo backup --compression auto --tag $N --stdin --stdin-filename disk.img <$I',
    restore: 'RESTIC_CACHE_DIR=$DIR/home restic -q -r $DIR/repo dump --tag $N latest /disk.img >$OUT',
  },
  {
    name: 'casync',
    needs: ['casync'],
    init: 'true',
    add: 'casync make --store=$DIR/repo/store.castr $DIR/repo/$N.caibx $I >/dev/null',
    restore: 'casync extract --store=$DIR/repo/store.castr $DIR/repo/$N.caibx $OUT',
  },
  {
    name: 'ostree (files, no image)',
    needs: ['ostree', 'sfdisk', 'perl'],
    init: 'ostree init --repo=$DIR/repo --mode=archive',
    add: `mkdir -p $DIR/m; o=$(sfdisk --json $I 2>/dev/null | perl -ne 'if (/"start": *(\\d+)/) { $s = $1 } if (/"size": *(\\d+)/ && $1 > $b) { $b = $1; $o = $s } END { print +($o || 0) * 512 }')
mount -o ro,noload,loop,offset=$o $I $DIR/m
tar -C $DIR/m --exclude=./dev/* --exclude=./run/* -cf - . | ostree --repo=$DIR/repo commit -b $N --tree=tar=/dev/stdin --tar-autocreate-parents -s $N >/dev/null; c=$?; umount $DIR/m; exit $c`,
  },
]

async function main(): Promise<void> {
  const [folder, ...named] = process.argv.slice(2)
  if (folder === undefined || named.length === 0) throw new Error('usage: chain.ts FOLDER NAME=IMAGE…')
  const images = named.map((text): Image => {
    const at = text.indexOf('=')
    return { name: text.slice(0, at), path: resolve(text.slice(at + 1)) }
  })
  await mkdir(folder, { recursive: true })
  for (const image of images) await run('', `cat ${image.path} >/dev/null`, {})
  const last = images[1] ?? images[0]!
  const copy = join(folder, 'copy.raw')
  const cp = (): Promise<void> => run('', `cp --sparse=always ${last.path} ${copy}`, {})
  await cp()
  const data = Math.round(((await stat(copy)).blocks * 512) / mib)
  console.log(
    `${last.name} has ${data} MiB of data; restoring and cp, in turn: fastest of ${rounds} (median)`,
  )
  console.log(row(['', ...images.map(({ name }) => `+ ${name}`), `restore ${last.name}`, 'objects']))
  await benchOurs(join(folder, 'img'), images, async () => {
    await rm(copy)
    return (await timed(cp)).seconds
  })
  await rm(copy)
  for (const peer of peers) {
    if (peer.needs.every((program) => findProgram(program) !== undefined))
      await benchPeer(peer, join(folder, 'peer'), images)
    else console.log(row([peer.name, 'not installed']))
  }
}

/** `cp` copies the image that is restored, and says how long it took. */
async function benchOurs(folder: string, images: readonly Image[], cp: () => Promise<number>): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  const dir = join(folder, 'cache')
  const open = (): ReturnType<typeof openStore> => openStore({ dir, now: Date.now })
  const [base, child] = images
  const stored = new Map<string, ArtifactFile>()
  const cells: string[] = []
  for (const { name, path } of images) {
    // Each in a process's first breath: nothing of the image before is in memory.
    const store = await open()
    const put = await timed(() => store.put({ 'disk.raw': path }))
    await store.close()
    stored.set(name, put.result['disk.raw']!)
    cells.push(`${await sizeOf(join(dir, 'content-v2'))} MiB ${put.seconds.toFixed(2)} s`)
  }
  const out = join(folder, 'out.raw')
  let store = await open()
  const wanted = stored.get((child ?? base!).name)!
  await run('', 'sync', {})
  const copies: number[] = []
  const restores: number[] = []
  for (let round = 0; round < rounds; round++) {
    copies.push(await cp())
    // As a build does, and like cp and the peers without an fsync.
    const restored = await timed(() => store.materialise(wanted))
    restores.push(restored.seconds)
    await same(restored.result, (child ?? base!).path)
    await rm(restored.result)
  }
  const { packs } = await store.stats()
  console.log(row(['img, whole disks', ...cells, spread(restores), String(packs)]))
  await store.close()
  if (child === undefined) return

  // As a build does it: the child is an overlay on its parent's disk, which is there.
  await rm(dir, { recursive: true, force: true })
  store = await open()
  const parent = (await store.put({ 'disk.raw': base!.path }))['disk.raw']!
  const chain = await store.materialiseBase(parent)
  const overlays: string[] = [`${await sizeOf(join(dir, 'content-v2'))} MiB`]
  let own: ArtifactFile | undefined
  for (const { name, path } of images.slice(1)) {
    if (name.startsWith('rebuild')) {
      const put = await timed(() => store.put({ 'disk.raw': path }))
      overlays.push(`${await sizeOf(join(dir, 'content-v2'))} MiB ${put.seconds.toFixed(2)} s`)
      continue
    }
    const overlay = join(folder, `${name}.qcow2`)
    // Rebasing writes the clusters in which the two differ, and nothing else.
    await run('', `qemu-img create -q -f qcow2 -o extended_l2=on -b ${path} -F raw ${overlay}`, {})
    await run('', `qemu-img rebase -b ${chain[0]!} -F raw ${overlay}; sync`, {})
    const put = await timed(() => store.put({ 'disk.raw': { overlay, parent } }))
    own ??= put.result['disk.raw']!
    const clusters = Math.round(((await stat(overlay)).blocks * 512) / mib)
    overlays.push(
      `${await sizeOf(join(dir, 'content-v2'))} MiB ${put.seconds.toFixed(2)} s for ${clusters} MiB of clusters`,
    )
    await rm(overlay)
  }
  if (own === undefined) throw new Error('every image after the base is a rebuild, and none a child')
  const restored = own
  const onto = await timed(() => store.materialiseBase(restored, parent))
  await run('', `qemu-img convert -O raw ${onto.result[0]!} ${out}`, {})
  await same(out, child.path)
  console.log(row(['img, overlays', ...overlays, `${onto.seconds.toFixed(2)} s on the base`]))
  const [fastest, usual] = [Math.min, median].map((pick) => ratio(pick(...restores), pick(...copies)))
  const based = ratio(onto.seconds, Math.min(...copies))
  console.log(`cp ${spread(copies)}, restore whole ${fastest} (${usual}) × cp, onto the base ${based} × cp`)
  await store.close()
  await rm(folder, { recursive: true, force: true })
}

async function benchPeer(peer: Peer, folder: string, images: readonly Image[]): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(join(folder, 'repo'), { recursive: true })
  await mkdir(join(folder, 'home'))
  const env = { DIR: folder, OUT: join(folder, 'out.raw'), ...peer.env }
  await run(peer.name, peer.init, env)
  const cells: string[] = []
  for (const { name, path } of images) {
    const added = await timed(() => run(peer.name, peer.add, { ...env, I: path, N: name }))
    cells.push(`${await sizeOf(join(folder, 'repo'))} MiB ${added.seconds.toFixed(2)} s`)
  }
  const wanted = images[1] ?? images[0]!
  if (peer.restore !== undefined) {
    const script = peer.restore
    await run('', 'sync', {})
    const restores: number[] = []
    for (let round = 0; round < rounds; round++) {
      restores.push((await timed(() => run(peer.name, script, { ...env, N: wanted.name }))).seconds)
      await same(env.OUT, wanted.path)
      await rm(env.OUT)
    }
    cells.push(spread(restores))
  } else cells.push('-')
  const { stdout } = await runProgram(['sh', '-c', `find ${join(folder, 'repo')} -type f | wc -l`])
  console.log(row([peer.name, ...cells, stdout.trim()]))
  await rm(folder, { recursive: true, force: true })
}

const mib = 1024 * 1024

/**
 * A virtual machine gets memory from its host where it is first touched, which adds up to 1.5 s to writing a GiB, now to
 * one and now to the other, and nothing to whatever finds memory used a moment ago: the fastest show the programs.
 */
const rounds = 7

const median = (...numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!

const ratio = (seconds: number, copy: number): string => (seconds / copy).toFixed(1)

const spread = (seconds: readonly number[]): string =>
  `${Math.min(...seconds).toFixed(2)} s (${median(...seconds).toFixed(2)})`

async function sizeOf(folder: string): Promise<number> {
  const { stdout } = await runProgram(['du', '-s', '--apparent-size', '-B1', folder])
  return Math.round(Number.parseInt(stdout) / mib)
}

async function same(one: string, other: string): Promise<void> {
  const { exitCode } = await runProgram(['cmp', '-s', one, other])
  if (exitCode !== 0) throw new Error(`${one} is not the bytes of ${other}`)
}

async function timed<T>(fn: () => Promise<T>): Promise<{ readonly seconds: number; readonly result: T }> {
  const start = performance.now()
  const result = await fn()
  return { seconds: (performance.now() - start) / 1000, result }
}

async function run(name: string, script: string, env: Readonly<Record<string, string>>): Promise<void> {
  const { exitCode, stderr } = await runProgram(['sh', '-euc', script], { env })
  if (exitCode !== 0) throw new Error(`${name}: ${script}: ${stderr}`)
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`

await main()
