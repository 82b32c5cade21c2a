// Real qemu, no image: what firmware says of an empty disk, and what is left when we are killed.

import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { probeExitCode, probeKernel } from '../../../tasks/backends/acceleration-kernel.ts'
import type { Firmware, MachineParts } from '../../../tasks/backends/qemu-arguments.ts'
import { makeOverlay, prepareFirmware } from '../../../tasks/backends/qemu-files.ts'
import { Machine } from '../../../tasks/backends/qemu-machine.ts'
import { missingTools } from '../../../tasks/run/tools.ts'
import { runProgram } from '../../../tasks/run/process.ts'
import { testContext } from '../../rig/run-context.ts'

const minutes = 60_000
const limits = { silenceMs: 4 * minutes, totalMs: 10 * minutes, answerMs: 4 * minutes }
const network = { outside: false, forwards: [] }

describe.skipIf(missingTools(['qemu-img', 'qemu-system-x86_64']).length > 0)('a machine', () => {
  it('says that an empty disk does not boot, and does not write it', async () => {
    const { disk, machine } = await start('bios')
    expect(await machine.ended).toEqual({
      kind: 'problem',
      problem: { kind: 'no-boot', line: 'No bootable device.' },
    })
    expect(readFileSync(disk).equals(Buffer.alloc(1024 * 1024))).toBe(true)
  })

  it.skipIf(missingTools(['UEFI firmware']).length > 0)('says so with UEFI as well', async () => {
    const { machine } = await start('uefi')
    expect(await machine.ended).toEqual({
      kind: 'problem',
      problem: { kind: 'no-boot', line: expect.stringMatching(/^UEFI Interactive Shell/) },
    })
  })

  it('says why qemu could not begin', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const hostPort = typeof address === 'object' && address !== null ? address.port : 0
    const { machine } = await start('bios', {
      network: { outside: false, forwards: [{ hostPort, guestPort: 22 }] },
    })
    expect(await machine.ended).toEqual({
      kind: 'died',
      how: 'ended with 1',
      stderr: expect.stringContaining('Could not set up host forwarding rule'),
    })
    server.close()
  })

  it('runs the test kernel of the probe to its end', async () => {
    const { root } = testContext()
    const kernel = join(root, 'kernel')
    writeFileSync(kernel, probeKernel)
    const { exitCode } = await runProgram([
      ...'qemu-system-x86_64 -nodefaults -display none -no-reboot -machine q35 -accel tcg -cpu max -m 64'.split(
        ' ',
      ),
      '-device',
      'isa-debug-exit,iobase=0xf4,iosize=1',
      '-kernel',
      kernel,
    ])
    expect(exitCode).toBe(probeExitCode)
  })

  it('is gone when whoever started it is killed', async () => {
    const { root } = testContext()
    const mark = `img-${randomBytes(8).toString('hex')}`
    const folder = new URL('../../../tasks/backends/', import.meta.url).pathname
    const disk = join(root, 'disk.raw')
    writeFileSync(disk, '')
    truncateSync(disk, 1024 * 1024)
    const parts = { ...(await partsOf('bios', disk, root)), credentials: { [mark]: 'x' } }
    const script = `
      import { createJiti } from '${import.meta.resolve('jiti')}'
      const { Machine } = await createJiti('file:///').import('${join(folder, 'qemu-machine.ts')}')
      new Machine({
        parts: ${JSON.stringify(parts)},
        signal: new AbortController().signal,
        onConsole: () => process.kill(process.pid, 'SIGKILL'),
      })`
    const { exitCode } = await runProgram([process.execPath, '--input-type=module', '--eval', script])
    expect(exitCode).toBe(128)
    await expect.poll(() => runningWith(mark), { timeout: 20_000 }).toEqual([])
  })
})

/** Processes with this in their arguments. */
const runningWith = (mark: string): string[] =>
  readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(mark)
    } catch {
      return false
    }
  })

async function start(
  kind: Firmware['kind'],
  over: Partial<MachineParts> = {},
): Promise<{ readonly disk: string; readonly machine: Machine }> {
  const { root, signal } = testContext()
  const disk = join(root, 'disk.raw')
  writeFileSync(disk, Buffer.alloc(1024 * 1024))
  const parts = { ...(await partsOf(kind, disk, root)), ...over }
  expect(existsSync(parts.disk ?? '')).toBe(true)
  return { disk, machine: new Machine({ parts, limits, signal }) }
}

const partsOf = async (kind: Firmware['kind'], disk: string, folder: string): Promise<MachineParts> => ({
  disk: await makeOverlay(disk, folder),
  accelerator: 'tcg',
  firmware: await prepareFirmware(kind, folder),
  memory: 128,
  cpus: 1,
  network,
  credentials: {},
  restarts: false,
  console: 'socket',
})
