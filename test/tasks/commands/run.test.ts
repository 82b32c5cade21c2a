import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeRun } from '../../../tasks/commands/run.ts'
import { missingTools } from '../../../tasks/run/tools.ts'
import { fakeCall, fakeLayerDisks } from '../../rig/layer-disks.ts'
import { testContext } from '../../rig/run-context.ts'

const options = { user: 'root', firmware: 'bios', memory: 128 }

describe.skipIf(missingTools(['qemu-img', 'qemu-system-x86_64', 'ssh']).length > 0)('run', () => {
  it('boots one layer', async () => {
    const { open } = fakeLayerDisks({ select: () => Promise.resolve(['role:a', 'role:b']) })
    await expect(
      makeRun(open).run(fakeCall({ args: ['role:*'], options }), testContext()),
    ).rejects.toMatchObject({
      code: 'USAGE',
      message: 'role:* means 2 layers, and this command takes one',
    })
  })

  it('reads the public key from where the user stands', async () => {
    const context = testContext({ env: { IMG_ACCEL: 'tcg' } })
    const disk = join(context.root, 'disk.raw')
    writeFileSync(disk, Buffer.alloc(1024 * 1024))
    const { open } = fakeLayerDisks({ disk: () => Promise.resolve(disk) })
    const call = fakeCall({ args: ['role:a'], options: { ...options, key: 'me.pub' }, cwd: '/where/i/stand' })
    await expect(makeRun(open).run(call, context)).rejects.toMatchObject({
      code: 'INPUT_MISSING',
      message: 'cannot read the public key /where/i/stand/me.pub',
    })
    expect(context.events).toEqual([
      { event: 'note', layer: 'role:a', text: 'boots with tcg: IMG_ACCEL=tcg' },
    ])
  })
})
