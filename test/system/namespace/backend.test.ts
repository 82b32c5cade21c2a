// The namespace backend on real trees: the contract, and what only it promises.

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { namespaceBackend } from '../../../tasks/backends/namespace.ts'
import type { Work, WorkResult } from '../../../tasks/backends/backend.ts'
import type { ImgError } from '../../../tasks/errors.ts'
import type { Step } from '../../../tasks/plan/step.ts'
import { describeBackend } from '../../contract/backend.ts'
import { canRun, parentBench, smallSteps } from './bench.ts'

describe.runIf(canRun)('chroot layers', () => {
  const bench = parentBench()

  const run = (steps: readonly Step[], inputs: Readonly<Record<string, string>> = {}): Promise<WorkResult> =>
    namespaceBackend().run(bench().child(steps, { apt: {}, inputs }), bench().context())
  /** Of the last step. */
  const outputOf = async (steps: readonly Step[], changes: Partial<Work> = { apt: {} }): Promise<string> => {
    const work = bench().child(steps, changes)
    let current = 0
    let output = ''
    await namespaceBackend().run(
      work,
      bench().context({
        emit: (event) => {
          if (event.event === 'step-start') current = event.step
          if (event.event === 'output' && current === steps.length) output += event.text
        },
      }),
    )
    return output
  }

  describeBackend('namespace', () => ({
    backend: namespaceBackend(),
    work: async (steps) => {
      const work = bench().child([], { apt: {} })
      return { ...work, steps, parentDisk: bench().parentDisk }
    },
    context: (changes) => bench().context(changes),
    slow: { do: 'run', argv: ['sleep', '600'] },
  }))

  test('a bootstrap built twice is the same disk, whatever the umask and time zone of who builds', async () => {
    const umask = process.umask(0o077)
    try {
      const context = bench().context({ env: { TZ: 'Asia/Tokyo', LANG: 'de_DE.UTF-8', LC_ALL: 'C' } })
      const again = await namespaceBackend().run(bench().work(smallSteps), context)
      expect(again.treeDigest).toBe(bench().parent.treeDigest)
      expect(await digestOf(again.files['disk.raw'] ?? '')).toBe(await digestOf(bench().parentDisk))
    } finally {
      process.umask(umask)
    }
  })

  test('nothing in a tool tree tells in which order it was unpacked, or by which apt', () => {
    const dates = execFileSync('find', [bench().tools, '-type', 'd', '-printf', '%T@\\n'], {
      encoding: 'utf8',
    })
    expect([...new Set(dates.trimEnd().split('\n'))]).toHaveLength(1)
    const left = ['var/cache/debconf', 'var/lib/apt'].flatMap((name) =>
      readdirSync(join(bench().tools, name)),
    )
    expect(left.toSorted()).toEqual(['lists', 'mirrors', 'periodic'])
  })

  test("a layer without steps has its parent's tree", async () => {
    expect((await run([])).treeDigest).toBe(bench().parent.treeDigest)
  })

  test('steps see a machine that is none', async () => {
    const script =
      'cat /proc/1/comm; umask; hostname; pwd; ls /sys; ls /dev; ls /run; env | sort; cat /proc/net/dev | wc -l'
    expect(await outputOf([{ do: 'run', argv: ['sh', '-c', script] }])).toMatchInlineSnapshot(`
      "systemd
      0022
      localhost
      /
      fd
      full
      null
      ptmx
      pts
      random
      shm
      stderr
      stdin
      stdout
      tty
      urandom
      zero
      img
      lock
      DEBIAN_FRONTEND=noninteractive
      HOME=/root
      LANG=C.UTF-8
      LC_ALL=C.UTF-8
      LOGNAME=root
      OLDPWD=/
      PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
      PWD=/
      SHELL=/bin/sh
      SOURCE_DATE_EPOCH=1577836800
      SYSTEMD_OFFLINE=1
      TERM=dumb
      TZ=UTC
      USER=root
      3
      "
    `)
  })

  test('files are laid as declared, and symlinks of the image do not lead out of it', async () => {
    const input = join(bench().folder, 'staged')
    mkdirSync(join(input, 'deep/empty'), { recursive: true })
    writeFileSync(join(input, 'deep/run'), '#!/bin/sh\n', { mode: 0o755 })
    symlinkSync('run', join(input, 'deep/link'))
    const look =
      'cd / && stat -c "%n %A %U:%G" etc/secret srv/data opt/tool/deep/* && ls etc/apt/apt.conf.d | wc -l'
    const steps: readonly Step[] = [
      { do: 'write', path: '/etc/secret', content: 'ü', mode: '0640', group: 'someone' },
      { do: 'mkdir', path: '/srv/data', mode: '2770', owner: 'someone', group: '0' },
      { do: 'copy', input: '0.files', to: '/opt/tool' },
      { do: 'remove', paths: ['/etc/apt/apt.conf.d/*', '/nothing/*'] },
      { do: 'run', argv: ['sh', '-c', look] },
    ]
    expect(await outputOf(steps, { apt: {}, inputs: { '0.files': input } })).toMatchInlineSnapshot(`
      "etc/secret -rw-r----- root:someone
      srv/data drwxrws--- someone:root
      opt/tool/deep/empty drwxr-xr-x root:root
      opt/tool/deep/link lrwxrwxrwx root:root
      opt/tool/deep/run -rwxr-xr-x root:root
      0
      "
    `)
    const escape = run([
      { do: 'link', path: '/srv/out', target: bench().folder },
      { do: 'write', path: '/srv/out/leak', content: 'x', mode: '0644' },
    ])
    const error = await escape.catch((thrown: unknown) => thrown)
    expect((error as ImgError).message).toBe('layer base:test: write /srv/out/leak failed with exit code 1')
    expect((error as ImgError).fields.output).toBe('/srv/out: File exists')
  })

  test('the image is trimmed and its filesystems are clean', async () => {
    const big: Step = {
      do: 'run',
      argv: ['sh', '-c', 'head -c 100M /dev/urandom >/root/big && sync && rm /root/big'],
    }
    const grown = await run([big])
    expect(grown.treeDigest).toBe(bench().parent.treeDigest)
    expect(blocks(grown.files['disk.raw'] ?? '') - blocks(bench().parentDisk)).toBeLessThan(
      (8 * 1024 * 1024) / 512,
    )
  })

  test('what a step leaves running ends with it', async () => {
    const began = Date.now()
    await run([{ do: 'run', argv: ['sh', '-c', 'setsid sleep 500 & setsid sleep 500 >/dev/null 2>&1 &'] }])
    expect(Date.now() - began).toBeLessThan(120_000)
  })

  test('a script gets zx in the image', async () => {
    const seen: unknown[] = []
    const script = async ($: never): Promise<void> => {
      const shell = $ as (
        pieces: TemplateStringsArray,
        ...args: readonly string[]
      ) => Promise<{ stdout: string }>
      seen.push((await shell`echo ${"it's"} >/etc/by-script; cat /etc/by-script /proc/1/comm`).stdout)
      await shell`exit 7`
    }
    const steps: readonly Step[] = [{ do: 'script', input: 'own' }]
    const work = bench().child(steps, { apt: {}, scripts: { own: script } })
    const error = await namespaceBackend()
      .run(work, bench().context())
      .catch((thrown: unknown) => thrown)
    expect((error as ImgError).message).toBe(
      'layer base:test: script failed: a command failed with exit code 7',
    )
  })

  test('packages come from the locked state, leave no lists, and give the same tree each time', async () => {
    const install: Step = { do: 'apt', apt: 'apt', install: ['hello'], remove: [], recommends: false }
    const look =
      'hello; find /var/lib/apt/lists /var/cache/apt /etc/apt/sources.list* -type f; env | grep APT || echo none'
    expect(await outputOf([install, { do: 'run', argv: ['sh', '-c', look] }], {})).toMatchInlineSnapshot(`
      "Hello, world!
      none
      "
    `)
    const [first, second] = [
      await namespaceBackend().run(bench().child([install]), bench().context()),
      await namespaceBackend().run(bench().child([install]), bench().context()),
    ]
    expect(second.treeDigest).toBe(first.treeDigest)
  })

  test('a full work folder is told apart from a full image', async () => {
    const small = join(bench().folder, 'small')
    mkdirSync(small)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'none', small])
    try {
      const work = { ...bench().child([]), directory: small }
      const error = await namespaceBackend()
        .run(work, bench().context())
        .catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({
        code: 'DISK_FULL',
        message: "layer base:test: no space left for copying the parent's disk",
        fields: {
          path: small,
          hint: 'free space, run `img cache gc`, or set IMG_CACHE_DIR to a larger filesystem',
        },
      })
    } finally {
      execFileSync('umount', [small])
    }
    const fill = run([{ do: 'run', argv: ['sh', '-c', 'cat /dev/zero >/var/fill'], label: 'filling' }])
    const error = await fill.catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'STEP_FAILED',
      message: 'layer base:test: filling failed with exit code 1',
      fields: {
        hint: "a filesystem of the image is full: make the disk larger where the layer's chain begins",
      },
    })
  })

  test('without root, a parent needs another backend', async () => {
    const work = bench().child([])
    const error = await namespaceBackend()
      .run(work, bench().context({ uid: 1000 }))
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'BACKEND_UNAVAILABLE',
      message: "layer base:test: mounting its parent's disk needs root",
      fields: { layer: 'base:test', hint: 'run img as root, or use the libguestfs backend' },
    })
  })
})

const blocks = (path: string): number =>
  Number(execFileSync('stat', ['-c', '%b', path], { encoding: 'utf8' }))

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const part of createReadStream(path)) hash.update(part as Buffer)
  return hash.digest('hex')
}
