import { describe, expect, it } from 'vitest'
import { makeTest, renderTest, type LayerTest } from '../../../tasks/commands/test.ts'
import { findProgram } from '../../../tasks/run/find-program.ts'
import { fakeCall, fakeLayerDisks } from '../../rig/layer-disks.ts'
import { testContext } from '../../rig/run-context.ts'
import { expectSchema } from '../../rig/schema.ts'

const passed: LayerTest = {
  layer: 'role:a',
  kept: false,
  passed: true,
  checks: [{ name: 'first boot', passed: true, detail: 'reported' }],
  boots: [],
  accelerator: 'tcg',
  firmware: 'bios',
  ms: 61_000,
}

describe('renderTest', () => {
  it('is one line for what passed', () => {
    expect(renderTest(passed)).toBe('role:a passed: 1 checks (tcg, bios, 1 min 1 s)')
    expect(renderTest({ ...passed, kept: true })).toBe('role:a passed: 1 checks (passed before)')
  })

  it('shows everything of what failed', () => {
    const failed: LayerTest = {
      ...passed,
      passed: false,
      checks: [...passed.checks, { name: 'second boot', passed: false, detail: 'panicked: no init' }],
      boots: [{ failedLog: 'unit said this' } as never],
      console: 'line one\nline two',
      hint: 'check root=',
    }
    expect(
      renderTest(failed)
        .split('\n')
        .map((line) => line.trimEnd()),
    ).toEqual([
      'role:a FAILED: 1 of 2 checks (tcg, bios, 1 min 1 s)',
      '  ok      first boot   reported',
      '  FAILED  second boot  panicked: no init',
      '  failed units said',
      '    | unit said this',
      '  last console lines',
      '    | line one',
      '    | line two',
      '  hint check root=',
    ])
  })
})

describe.skipIf(findProgram('qemu-system-x86_64') === undefined || findProgram('qemu-img') === undefined)(
  'test',
  () => {
    const options = { firmware: 'bios', memory: 128 }

    it('fails for an image that cannot be run, and keeps nothing of it', async () => {
      const { open, values } = fakeLayerDisks({ disk: () => Promise.resolve('/nowhere/disk.raw') })
      const call = fakeCall({ args: ['role:a'], options })
      await expect(
        makeTest(open).run(call, testContext({ env: { IMG_ACCEL: 'tcg' } })),
      ).rejects.toMatchObject({
        code: 'BACKEND_UNAVAILABLE',
        message: 'cannot make an overlay of /nowhere/disk.raw',
      })
      expect(values.size).toBe(0)
    })

    it('does not boot again what passed with the same bytes, promises and firmware', async () => {
      const kept: string[] = []
      const { layer: _, kept: __, ...stored } = passed
      const { open } = fakeLayerDisks({
        disk: () => Promise.resolve('/nowhere/disk.raw'),
        readValue: (key) => {
          kept.push(key)
          return Promise.resolve(Buffer.from(JSON.stringify(stored)))
        },
      })
      const human = fakeCall({ args: ['role:a', 'role:b'], options })
      expect(await makeTest(open).run(human, testContext())).toBe(0)
      expect(human.printed).toEqual([
        'role:a passed: 1 checks (passed before)\n',
        'role:b passed: 1 checks (passed before)\n',
      ])
      const machine = fakeCall({ args: ['role:a'], options: { ...options, memory: 4096 }, json: true })
      await makeTest(open).run(machine, testContext())
      expect(machine.printed).toEqual([{ layers: [{ ...passed, kept: true }] }])
      expectSchema('test', machine.printed[0])
      await makeTest(open).run(
        fakeCall({ args: ['role:a'], options: { ...options, restart: true } }),
        testContext(),
      )
      expect(kept).toHaveLength(4)
      const [a, b, more, restart] = kept
      expect(a).toMatch(/^boot-test:[0-9a-f]{64}$/)
      expect([b === a, more === a, restart === a]).toEqual([false, true, false])
    })
  },
)
