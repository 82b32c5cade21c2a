// Layers on overlays: the contract again, and the same tree as in a copy, whoever reads it.

import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openRawSource, partOf } from '../../../cache/block-source.ts'
import { openDiskChain } from '../../../cache/disk-chain.ts'
import { openExt4 } from '../../../cache/ext4/open-ext4.ts'
import { openStore } from '../../../cache/open-store.ts'
import { readPartitions } from '../../../cache/partition-table.ts'
import type { Work, WorkResult } from '../../../tasks/backends/backend.ts'
import { digestDiskTree } from '../../../tasks/backends/disk-tree.ts'
import { openKnownContents } from '../../../tasks/backends/known-contents.ts'
import type { NamespaceStandby } from '../../../tasks/backends/namespace-standby.ts'
import { namespaceBackend } from '../../../tasks/backends/namespace.ts'
import { tarOptions } from '../../../tasks/backends/tool-tree.ts'
import { computeTreeDigest } from '../../../tasks/backends/tree-digest.ts'
import { findProgram } from '../../../tasks/run/find-program.ts'
import type { RunContext } from '../../../tasks/context.ts'
import type { Step } from '../../../tasks/plan/step.ts'
import { describeBackend } from '../../contract/backend.ts'
import { leftovers } from '../../rig/leftovers.ts'
import { tempFolder } from '../../rig/temp-folder.ts'
import { canRun, parentBench } from './bench.ts'
import { startBuild } from './start-build.ts'

/** Everything a tree can hold that is easily forgotten. */
const odds = `
cd /opt
mkdir -p deep/$(printf 'x%.0s' $(seq 200))/er a-b a
echo one >b; ln b a/hard; ln b a-b/hard; ln b /var/lib/../../opt/zz
ln -s $(printf 'y%.0s' $(seq 120)) far; ln -s b near; ln near nearer
mknod c c 5 300; mknod bl b 300 70000; mkfifo fifo; ln fifo pipe
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
truncate -s 5M sparse; printf end | dd of=sparse bs=1 seek=3000000 conv=notrunc status=none
printf 'caf\\303\\251' >"$(printf 'n\\303\\244me')"; touch "$(printf 'raw\\377')" "new
line"
touch -d '1969-12-31 23:59:58.5' old; touch -d '2040-01-01' new
setfattr -n user.text -v value b 2>/dev/null || python3 -c 'import os; os.setxattr("b", "user.text", b"va\\xfflue"); os.setxattr("a", "user.big", b"z" * 3000)'
chmod 7711 a; chown 70000:4000000 a-b; mkdir /var/lost+found/x 2>/dev/null; echo v >/var/inner
head -c 300000 /dev/zero | tr '\\0' q >q; cp --sparse=always q q2
`
const oddSteps: readonly Step[] = [{ do: 'run', argv: ['sh', '-c', odds] }]

/** Freed blocks between others, too few at once for the kernel to tell whoever is below. */
const everySecondGone: Step = {
  do: 'run',
  argv: ['sh', '-c', 'cd /opt; seq 400 | while read n; do seq 2000 >n$n; done; sync; rm n*[02468]'],
}

describe.runIf(canRun)('layers on overlays', () => {
  const bench = parentBench()

  const run = (steps: readonly Step[], changes: Partial<Work>): Promise<WorkResult> =>
    namespaceBackend().run(bench().child(steps, { apt: {}, ...changes }), bench().context())

  describeBackend('namespace, on overlays,', () => ({
    backend: namespaceBackend(),
    work: async (steps) => {
      const work = bench().child([], { parentBelow: [], apt: {} })
      return { ...work, steps, parentDisk: bench().parentDisk }
    },
    context: (changes) => bench().context(changes),
    slow: { do: 'run', argv: ['sleep', '600'] },
  }))

  test('give the tree of a copy, and so do those on overlays; the store takes them without reading the rest', async () => {
    const copied = await run(oddSteps, {})
    const first = await run(oddSteps, { parentBelow: [] })
    expect(first.isOverlay).toBe(true)
    expect(first.treeDigest).toBe(copied.treeDigest)
    const own = first.files['disk.raw'] ?? ''
    expect(statSync(own).blocks * 512).toBeLessThan(64 * 1024 * 1024)

    const more: Step = { do: 'run', argv: ['sh', '-c', 'rm -r /opt/a /usr/share/doc; echo more >/opt/b'] }
    const second = await run([more], { parentDisk: own, parentBelow: [bench().parentDisk] })
    expect(second.treeDigest).toBe((await run([...oddSteps, more], {})).treeDigest)

    const store = await openStore({ dir: join(bench().folder, 'store'), now: () => 0 })
    const put = async (made: Parameters<typeof store.put>[0][string]) =>
      (await store.put({ 'disk.raw': made }))['disk.raw']!
    const base = await put(bench().parentDisk)
    await store.materialiseBase(base)
    const child = await put({ overlay: own, parent: base })
    const plain = join(bench().folder, 'plain.raw')
    execFileSync('qemu-img', ['convert', '-O', 'raw', own, plain])
    expect((await put(plain)).diskDigest).toBe(child.diskDigest)
    await store.close()
  })

  test('have the same blocks of folders when they are built again, and nothing in free ones', async () => {
    const plain = join(bench().folder, 'folders.raw')
    const folders = async (): Promise<readonly Buffer[]> => {
      const { files } = await run([...oddSteps, everySecondGone], { parentBelow: [] })
      execFileSync('qemu-img', ['convert', '-O', 'raw', files['disk.raw'] ?? '', plain])
      return folderBlocks(plain)
    }
    const [once, again] = [await folders(), await folders()]
    expect(once.length).toBeGreaterThan(100)
    expect(once.filter((block, place) => !block.equals(again[place] ?? Buffer.alloc(0)))).toEqual([])
    const source = openRawSource(plain)
    const [, ...filesystems] = readPartitions(source)
    source.close()
    expect(filesystems).toHaveLength(2)
    for (const { start } of filesystems) {
      const at = `${plain}?offset=${start}`
      execFileSync('e2fsck', ['-f', '-n', at], { stdio: 'ignore' })
      const dump = 'debugfs -R dump_unused "$1" 2>/dev/null | head -c 300'
      expect(execFileSync('sh', ['-c', dump, 'sh', at], { encoding: 'latin1' })).toBe('')
    }
  })

  test('have the tree of a copy also by what is known of the parent, where its files are written in place', async () => {
    const contents = openKnownContents()
    const standby = { contents, take: async () => undefined } as unknown as NamespaceStandby
    const inPlace: Step = {
      do: 'run',
      argv: ['sh', '-c', 'echo other | dd of=/etc/debian_version conv=notrunc; echo more >>/etc/hosts'],
    }
    for (const steps of [[], oddSteps, [inPlace], []]) {
      const work = bench().child(steps, { apt: {}, parentBelow: [] })
      const { treeDigest } = await namespaceBackend(standby).run(work, bench().context())
      expect(treeDigest).toBe((await run(steps, {})).treeDigest)
    }
  })

  test('have the digest tar gives of the mounted tree', async () => {
    const { files } = await run(oddSteps, {})
    const disk = files['disk.raw'] ?? ''
    const tree = join(bench().folder, 'mounted')
    mkdirSync(tree)
    const source = openDiskChain([disk])
    const [, variable, root] = readPartitions(source)
    const mounts = [
      { part: root as never, mount: '' },
      { part: variable as never, mount: 'var' },
    ]
    const mount = (at: string, { start, size }: { start: number; size: number }): void =>
      void execFileSync('mount', ['-o', `ro,noload,loop,offset=${start},sizelimit=${size}`, disk, at])
    mount(tree, root!)
    mount(join(tree, 'var'), variable!)
    try {
      const tar = spawn('tar', ['--create', ...tarOptions, '--directory', tree, '.'], {
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      const rest = { about: 'about', filesystemRoots: ['', 'var'] }
      const wanted = await computeTreeDigest(tar.stdout as AsyncIterable<Buffer>, rest)
      expect(await digestDiskTree(source, mounts, { about: 'about' })).toBe(wanted)
    } finally {
      execFileSync('umount', ['--recursive', tree])
      source.close()
    }
  })

  test('are copied where there is no qemu-storage-daemon, also those on overlays', async () => {
    const first = await run(oddSteps, { parentBelow: [] })
    const on = { parentDisk: first.files['disk.raw'] ?? '', parentBelow: [bench().parentDisk] }
    const second = startBuild(bench().child([], { apt: {}, ...on }), without('qemu-storage-daemon'))
    expect(await second.says('tree ')).toBe(`tree ${first.treeDigest}`)
    expect(second.lines).toContain('copy')
  })

  test('are made in a chroot as well', async () => {
    const steps: readonly Step[] = [{ do: 'write', path: '/etc/motd', content: 'hello\n', mode: '0644' }]
    const wanted = await run(steps, { parentBelow: [] })
    const root = tempFolder()
    // What the build works on is nowhere but in the chroot.
    const enter = 'mount --rbind / "$0"; mount -t tmpfs none "$1"; shift; exec chroot "$0" "$@"'
    const through = ['unshare', '--mount', 'sh', '-euc', enter, root, bench().folder]
    const built = startBuild(bench().child(steps, { apt: {}, parentBelow: [] }), through)
    expect(await built.says('tree ')).toBe(`tree ${wanted.treeDigest}`)
    expect(built.lines).toContain('overlay')
  })

  test('that find no room for what they write fail, and leave nothing', async () => {
    const small = join(bench().folder, 'small-overlay')
    mkdirSync(small)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'none', small])
    try {
      const write: Step = {
        do: 'run',
        argv: ['sh', '-c', 'head -c 40M /dev/urandom >/opt/x; sync /opt/x'],
        label: 'filling',
      }
      const work = bench().child([write], { parentBelow: [], apt: {} })
      const error = await namespaceBackend()
        .run({ ...work, directory: small }, bench().context())
        .catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({
        code: 'DISK_FULL',
        message: 'layer base:test: no space left for filling',
      })
    } finally {
      // Refused while anything of the build is left.
      execFileSync('umount', [small])
    }
    expect(await leftovers(small)).toStrictEqual([])
  })

  test('whose disk is gone fail at once, and leave nothing', async () => {
    const write: Step = { do: 'run', argv: ['sh', '-c', 'while :; do date >/opt/x; sync /opt/x; done'] }
    const work = bench().child([write], { parentBelow: [], apt: {} })
    const abort = new AbortController()
    const emit: RunContext['emit'] = ({ event }) => {
      // In a copy, the step would never end.
      if (event === 'step-start' && !killDaemon(work.directory)) abort.abort()
    }
    const error = await namespaceBackend()
      .run(work, bench().context({ emit, signal: abort.signal }))
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'STEP_FAILED',
      message: 'layer base:test: qemu-storage-daemon, which shows the disk, was killed',
      fields: {
        layer: 'base:test',
        hint: 'build again; if it is killed again, see the kernel log for a lack of memory',
      },
    })
    expect(await leftovers(work.directory)).toStrictEqual([])
  })
})

/** Of every folder of every filesystem, in order of their inodes. */
function folderBlocks(disk: string): readonly Buffer[] {
  const source = openRawSource(disk)
  try {
    return readPartitions(source).flatMap((range) => {
      const part = partOf(source, range)
      const ext4 = openExt4(part)
      const folders = ext4 === undefined ? [] : [...ext4.inodes()].filter(({ kind }) => kind === 'folder')
      return folders.map((folder) =>
        Buffer.concat(
          ext4!.extents(folder).map(({ physical, length }) => {
            const block = Buffer.alloc(length * ext4!.blockSize)
            part.read(physical * ext4!.blockSize, block)
            return block
          }),
        ),
      )
    })
  } finally {
    source.close()
  }
}

/** Whether there was one. */
function killDaemon(directory: string): boolean {
  const daemons = readdirSync('/proc').filter((id) => {
    const path = `/proc/${id}/cmdline`
    const line = /^\d+$/.test(id) && existsSync(path) ? readFileSync(path, 'utf8') : ''
    return line.startsWith('qemu-storage-daemon') && line.includes(directory)
  })
  for (const id of daemons) process.kill(Number(id), 'SIGKILL')
  return daemons.length > 0
}

/** In mounts of its own: a test that is killed must not take the program from the machine. */
const without = (program: string): readonly string[] => [
  'unshare',
  '--mount',
  'sh',
  '-euc',
  'mount --bind /dev/null "$0"; exec "$@"',
  findProgram(program) ?? program,
]
