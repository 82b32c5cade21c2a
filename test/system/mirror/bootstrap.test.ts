// A real bootstrap from a real mirror, through the recording proxy: the second one must not need the mirror at all.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startMirror, type MirrorStats } from '../../../cache/mirror/mirror.ts'
import type { AptAccess } from '../../../tasks/backends/backend.ts'
import type { RunContext } from '../../../tasks/context.ts'
import type { ImgEvent } from '../../../tasks/events.ts'
import { obtainLocked } from '../../../tasks/run/apt-pin.ts'
import { openLock } from '../../../tasks/run/lockfile.ts'
import { runProgram } from '../../../tasks/run/process.ts'
import type { AptInput } from '../../../tasks/plan/recipe.ts'

const isRoot = process.getuid?.() === 0
const input: AptInput = { kind: 'apt', suite: 'trixie', components: ['main'], updates: true, security: true }

describe.runIf(isRoot && existsSync('/usr/bin/mmdebstrap'))('mmdebstrap through the mirror', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'img-mirror-system-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('the second bootstrap downloads nothing, also with the mirror switched off', async () => {
    const first = await bootstrap('first', {})
    expect(first.stats.refused).toBe(0)
    expect(first.stats.downloaded.requests).toBeGreaterThan(50)
    const lock = readFileSync(join(folder, 'imgfile.lock'), 'utf8')

    const second = await bootstrap('second', {})
    expect(second.stats.downloaded).toEqual({ requests: 0, bytes: 0 })
    expect(second.stats.served).toEqual(first.stats.served)

    const off = {
      IMG_MIRROR: 'http://127.0.0.1:9/debian',
      IMG_SECURITY_MIRROR: 'http://127.0.0.1:9/debian-security',
    }
    const third = await bootstrap('third', off)
    expect(third.stats.downloaded).toEqual({ requests: 0, bytes: 0 })
    expect(third.packages).toBe(first.packages)
    expect(third.digest).toBe(first.digest)
    expect(third.warnings).toEqual([])
    expect(readFileSync(join(folder, 'imgfile.lock'), 'utf8')).toBe(lock)
  })

  async function bootstrap(
    name: string,
    env: Record<string, string>,
  ): Promise<{ stats: MirrorStats; packages: string; digest: string; warnings: ImgEvent[] }> {
    const warnings: ImgEvent[] = []
    const context: RunContext = {
      root: folder,
      env: { ...process.env, ...env },
      cacheDir: join(folder, 'cache'),
      now: () => Date.now(),
      signal: new AbortController().signal,
      emit: (event) => {
        if (event.event === 'warning') warnings.push(event)
      },
      uid: 0,
      yes: false,
    }
    const lock = await openLock(context, { frozen: name !== 'first' })
    const { digest } = await lock.resolve(input)
    await obtainLocked(lock, [input], context)
    const mirror = await startMirror(lock, context)
    const root = join(folder, name)
    await runMmdebstrap(root, mirror.access(input), name)
    const stats = mirror.stats()
    await mirror.close()
    const packages = readFileSync(join(root, 'var/lib/dpkg/status'), 'utf8')
    rmSync(root, { recursive: true, force: true })
    return { stats, packages, digest, warnings }
  }

  async function runMmdebstrap(root: string, access: AptAccess, name: string): Promise<void> {
    const sources = join(folder, `${name}.list`)
    const lines = access.sources.map((line) => line.replace('/run/img/apt/keyring.gpg', access.keyring))
    writeFileSync(sources, `${lines.join('\n')}\n`)
    const options = access.config.map((line) => `--aptopt=${line}`)
    const log = join(folder, `${name}.log`)
    const result = await runProgram(
      ['mmdebstrap', '--mode=root', '--variant=apt', ...options, 'trixie', root, sources],
      { env: { LC_ALL: 'C.UTF-8', SOURCE_DATE_EPOCH: String(access.date) }, log, isolation: 'namespace' },
    )
    if (result.exitCode !== 0)
      throw new Error(`mmdebstrap failed:\n${readFileSync(log, 'utf8').slice(-3000)}`)
  }
})
