import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { probeKernel } from '../../../tasks/backends/acceleration-kernel.ts'
import { resolveAcceleration } from '../../../tasks/backends/acceleration.ts'
import { findProgram } from '../../../tasks/run/find-program.ts'
import { fakePrograms } from '../../rig/fake-programs.ts'
import { testContext } from '../../rig/run-context.ts'

/** A device that opens, and a qemu that counts how often it is started. */
function host(script: string): {
  readonly device: string
  readonly path: string
  readonly starts: () => number
} {
  const { folder, path } = fakePrograms({
    'qemu-system-x86_64': `echo x >> "$(dirname "$0")/starts"\n${script}`,
  })
  const device = join(folder, 'kvm')
  writeFileSync(device, '')
  return { device, path, starts: () => readFileSync(join(folder, 'starts'), 'utf8').length / 2 }
}

describe('resolveAcceleration', () => {
  it('takes KVM when the test kernel ran to its end, and asks only once', async () => {
    const { device, path, starts } = host('exit 85')
    const context = testContext()
    const kvm = { accelerator: 'kvm', reason: 'KVM ran a test kernel' }
    expect(await resolveAcceleration(context, { device, path })).toEqual(kvm)
    expect(await resolveAcceleration(context, { device, path })).toEqual(kvm)
    expect(starts()).toBe(1)
  })

  it('asks again when the host is another one or the memory is damaged', async () => {
    const { device, path, starts } = host('exit 85')
    const context = testContext()
    await resolveAcceleration(context, { device, path })
    const file = join(context.cacheDir, 'acceleration.json')
    writeFileSync(file, readFileSync(file, 'utf8').replace(/"host":"[^ ]*/, '"host":"elsewhere'))
    await resolveAcceleration(context, { device, path })
    writeFileSync(file, '{"host"')
    await resolveAcceleration(context, { device, path })
    expect(starts()).toBe(3)
  })

  it.each([
    ['exit 0', 'qemu ended with 0'],
    ["echo 'KVM internal error. Suberror: 1' >&2; exec sleep 1000", 'KVM internal error. Suberror: 1'],
    ['exec sleep 1000', 'did not within 0.1 s'],
  ])('emulates when qemu does: %s', async (script, reason) => {
    const { device, path } = host(script)
    const limitMs = script === 'exec sleep 1000' ? 100 : 60_000
    expect(await resolveAcceleration(testContext(), { device, path, limitMs })).toEqual({
      accelerator: 'tcg',
      reason: `KVM was to run a test kernel: ${reason}`,
    })
  })

  it('emulates without starting anything when there is no device', async () => {
    expect(await resolveAcceleration(testContext(), { device: '/nowhere/kvm' })).toEqual({
      accelerator: 'tcg',
      reason: 'there is no /nowhere/kvm',
    })
  })

  it.each(['kvm', 'tcg'])('believes IMG_ACCEL=%s', async (accelerator) => {
    expect(await resolveAcceleration(testContext({ env: { IMG_ACCEL: accelerator } }))).toEqual({
      accelerator,
      reason: `IMG_ACCEL=${accelerator}`,
    })
  })

  it('refuses another IMG_ACCEL', async () => {
    await expect(resolveAcceleration(testContext({ env: { IMG_ACCEL: 'hvf' } }))).rejects.toMatchObject({
      code: 'USAGE',
      message: 'IMG_ACCEL is "hvf"',
      fields: { hint: 'set it to kvm or tcg, or leave it out to have it tried' },
    })
  })

  it('can be interrupted', async () => {
    const { device, path } = host('exec sleep 1000')
    await expect(
      resolveAcceleration(testContext({ signal: AbortSignal.abort() }), { device, path }),
    ).rejects.toMatchObject({ code: 'INTERRUPTED', message: 'the probe of KVM was interrupted' })
  })
})

describe.skipIf(findProgram('as') === undefined || findProgram('objcopy') === undefined)(
  'probeKernel',
  () => {
    it('is what its source says', () => {
      const source = new URL('../../../tasks/backends/acceleration-kernel.S', import.meta.url).pathname
      const folder = mkdtempSync(join(tmpdir(), 'img-probe-'))
      const [object, program, image] = ['o', 'elf', 'bin'].map((end) => join(folder, `kernel.${end}`)) as [
        string,
        string,
        string,
      ]
      execFileSync('as', ['--64', source, '-o', object])
      execFileSync('ld', ['-Ttext', '0x100000', object, '-o', program])
      execFileSync('objcopy', ['-O', 'binary', '-j', '.text', program, image])
      expect(readFileSync(image).equals(probeKernel)).toBe(true)
      rmSync(folder, { recursive: true })
    })
  },
)
