// The real virt-install. IMG_MEDIA names the folder with the files of Debian's network installer (`linux`, `initrd.gz`);
// the whole installation runs with IMG_TEST_INSTALL=1 and takes an hour where there is no KVM.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { Work } from '../../../tasks/backends/backend.ts'
import { libvirtBackend } from '../../../tasks/backends/libvirt.ts'
import type { InstallStep } from '../../../tasks/plan/step.ts'
import { installStep } from '../../rig/install-step.ts'
import { testContext } from '../../rig/run-context.ts'

const media = process.env['IMG_MEDIA'] ?? ''
const canRun =
  process.getuid?.() === 0 && existsSync(join(media, 'linux')) && existsSync('/usr/bin/virt-install')

function makeWork(step: InstallStep, initrd: string) {
  const context = testContext({ now: Date.now, env: { IMG_ACCEL: process.env['IMG_ACCEL'] } })
  const [directory, medium] = [join(context.root, 'part'), join(context.root, 'medium')]
  mkdirSync(directory)
  mkdirSync(medium)
  symlinkSync(join(media, 'linux'), join(medium, 'kernel'))
  symlinkSync(initrd, join(medium, 'initrd'))
  const log = join(context.root, 'log')
  writeFileSync(log, '')
  const work: Work = {
    layer: 'install:test',
    key: 'k',
    mode: 'boot',
    arch: 'amd64',
    steps: [step],
    chain: [],
    inputs: { [step.input]: medium },
    apt: {},
    directory,
    log,
  }
  return { work, context, log }
}

/** Command lines of all processes that name the folder. */
const processesOf = (folder: string): readonly string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')]
      } catch {
        return []
      }
    })
    .filter((line) => line.includes(folder))

describe.runIf(canRun)('virt-install', () => {
  test("a kernel that panics fails with the kernel's words, and nothing is left", async () => {
    const { root } = testContext()
    const initrd = join(root, 'initrd')
    // An archive without a single file.
    const end = `070701${'0'.repeat(88)}0000000B00000000TRAILER!!!\0\0\0\0`
    writeFileSync(initrd, gzipSync(end))
    const step = installStep('preseed', { arguments: ['console=ttyS0,115200'] })
    const { work, context, log } = makeWork(step, initrd)
    await expect(libvirtBackend().run(work, context)).rejects.toMatchObject({
      code: 'STEP_FAILED',
      message: expect.stringMatching(
        /^layer install:test: the installer's kernel panicked: VFS: Unable to mount root fs/,
      ),
    })
    expect(readFileSync(log, 'utf8')).toContain('Kernel panic - not syncing')
    expect(processesOf(work.directory)).toEqual([])
  })

  test('killed with -9, the machine goes with it', async () => {
    const { work, context } = makeWork(
      installStep('preseed', { arguments: ['console=ttyS0,115200', 'init=/bin/sh'] }),
      join(media, 'initrd.gz'),
    )
    const program = join(context.root, 'program.ts')
    writeFileSync(
      program,
      `import { libvirtBackend } from '${process.cwd()}/tasks/backends/libvirt.ts'
const root = '${context.root}'
const emit = ({ event }) => void (event === 'output' && console.log('booting'))
const signal = new AbortController().signal
const env = { IMG_ACCEL: process.env['IMG_ACCEL'] }
const context = { root, cacheDir: root, env, now: Date.now, uid: 0, yes: false, signal, emit }
void libvirtBackend().run(${JSON.stringify(work)}, context)
`,
    )
    const child = spawn('node_modules/.bin/jiti', [program], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    expect(processesOf(work.directory).some((line) => line.includes('qemu-system'))).toBe(true)
    child.kill('SIGKILL')
    await once(child, 'exit')
    await expect.poll(() => processesOf(work.directory), { timeout: 10_000 }).toEqual([])
  })

  test.runIf(process.env['IMG_TEST_INSTALL'] === '1')(
    'Debian from preseed/trixie.cfg',
    { timeout: 6 * 3_600_000 },
    async () => {
      for (const command of ['build', 'test']) {
        const child = spawn(process.execPath, ['dist/tasks/cli.js', command, 'install:trixie-di'], {
          stdio: 'inherit',
        })
        expect(await once(child, 'exit')).toEqual([0, null])
      }
    },
  )
})
