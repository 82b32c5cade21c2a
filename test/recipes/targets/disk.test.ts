import { describe, expect, test } from 'vitest'
import { qcow2, raw, vmdk } from '../../../recipes/targets/disk.ts'
import { targetTools } from '../../../recipes/targets/tools.ts'
import type { Layer } from '../../../tasks/plan/recipe.ts'
import { parentLayer } from './parent-layer.ts'
import { stepsOf } from '../steps-of.ts'

const sums = { do: 'checksums', to: 'SHA256SUMS', algorithm: 'sha256' }

describe('the disk as a file', () => {
  test.each([
    [raw, 'raw:web', [{ do: 'convert', to: 'disk.raw', format: 'raw' }]],
    [qcow2, 'qcow2:web', [{ do: 'convert', to: 'disk.qcow2', format: 'qcow2', compress: true }]],
    [
      vmdk,
      'vmdk:web',
      [{ do: 'convert', to: 'disk.vmdk', format: 'vmdk', options: { subformat: 'streamOptimized' } }],
    ],
  ])('%o', (make: (from: Layer) => Layer, name, steps) => {
    const parent = parentLayer('role:web')
    const target = make(parent)
    expect(target.name).toBe(name)
    expect(target.from).toBe(parent)
    const [recipe] = target.recipes
    expect(recipe?.tools).toBe(targetTools)
    expect(stepsOf(recipe!)).toMatchObject({ mode: 'export', parent: 'required', inputs: {} })
    expect(stepsOf(recipe!).steps).toEqual([...steps, sums])
  })

  test('takes another name and leaves clusters uncompressed when told', () => {
    const target = qcow2(parentLayer('base:web'), { name: 'qcow2:fast', compress: false })
    expect(target.name).toBe('qcow2:fast')
    expect(stepsOf(target.recipes[0]!).steps[0]).toEqual({
      do: 'convert',
      to: 'disk.qcow2',
      format: 'qcow2',
      compress: false,
    })
    expect(qcow2(parentLayer('base:web')).name).toBe('qcow2:base-web')
  })

  test.each([
    [{ compres: true }, 'qcow2: unknown option "compres"'],
    [{ compress: 'yes' }, 'qcow2: "compress" is "yes", not true or false'],
    [{ tools: 'trixie' }, 'qcow2: "tools" is "trixie", not a layer'],
    [{ name: 7 }, 'qcow2: "name" is 7, not text'],
  ])('%j is refused', (options, message) => {
    expect(() => qcow2(parentLayer('role:web'), options as never)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', message }),
    )
  })
})
