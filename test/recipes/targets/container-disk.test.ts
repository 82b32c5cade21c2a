import { expect, test } from 'vitest'
import { containerDisk } from '../../../recipes/targets/container-disk.ts'
import { stepsOf } from '../steps-of.ts'
import { parentLayer } from './parent-layer.ts'

const role = parentLayer('role:web')

test('one disk that qemu may read is the whole image', () => {
  const target = containerDisk(role)
  expect(target.name).toBe('container-disk:web')
  expect(stepsOf(target.recipes[0]!).steps).toEqual([
    { do: 'convert', to: 'disk.qcow2', format: 'qcow2' },
    {
      do: 'oci',
      to: 'image.tar',
      layers: { of: 'file', file: 'disk.qcow2', path: 'disk/disk.qcow2', uid: 107 },
      compress: 'gzip',
      reference: 'web-disk:latest',
      config: {},
    },
  ])
})

test('a reference has a tag', () => {
  expect(() => containerDisk(role, { reference: 'web' })).toThrow(
    expect.objectContaining({
      code: 'OPTION_INVALID',
      message: 'containerDisk: "reference" is "web", not name:tag',
    }),
  )
})
