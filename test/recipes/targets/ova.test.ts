import { expect, test } from 'vitest'
import { ova } from '../../../recipes/targets/ova.ts'
import type { StepOf } from '../../../tasks/plan/step.ts'
import { stepsOf } from '../steps-of.ts'
import { parentLayer } from './parent-layer.ts'

const role = parentLayer('role:web')

test('the description comes first in the archive, the disk last', () => {
  const steps = stepsOf(ova(role, { memory: 2048 }).recipes[0]!).steps
  const pack = steps.find((step): step is StepOf<'pack'> => step.do === 'pack')
  expect(pack).toEqual({
    do: 'pack',
    to: 'machine.ova',
    files: ['machine.ovf', 'machine.mf', 'disk.vmdk'],
    compress: 'none',
  })
  const ovf = steps.find((step): step is StepOf<'emit'> => step.do === 'emit')
  expect(ovf?.text).toContain('<VirtualSystem ovf:id="web">')
  expect(ovf?.text).toContain('<rasd:VirtualQuantity>2048</rasd:VirtualQuantity>')
})

test.each([
  [{ system: 'a b' }, 'ova: "system" is "a b", not a name of letters, digits, ., - and _'],
  [{ memory: 64 }, 'ova: "memory" is 64, not a number of MB'],
])('%j is refused', (options, message) => {
  expect(() => ova(role, options as never)).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', message }),
  )
})
