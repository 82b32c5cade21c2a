import { expect, it } from 'vitest'
import { onlyLayer } from '../../../tasks/commands/only-layer.ts'
import type { LayerDisks } from '../../../tasks/run/layer-disks.ts'
import { fakeCall } from '../../rig/layer-disks.ts'

const disks = (names: readonly string[]): LayerDisks => ({ select: () => Promise.resolve(names) }) as never

it('takes a selector that means one layer', async () => {
  expect(await onlyLayer(disks(['role:a']), fakeCall({ args: ['*:a'] }))).toBe('role:a')
})

it('refuses one that means several', async () => {
  await expect(onlyLayer(disks(['role:a', 'role:b']), fakeCall({ args: ['role:*'] }))).rejects.toMatchObject({
    code: 'USAGE',
    message: 'role:* means 2 layers, and this command takes one',
    fields: { hint: 'name one of them', validOptions: ['role:a', 'role:b'] },
  })
})
