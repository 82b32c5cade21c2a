import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ImgError } from '../../../tasks/errors.ts'
import {
  deriveDiskIds,
  type DiskLayout,
  finishDiskLayout,
  type Partition,
  placePartitions,
  uuidV5,
} from '../../../tasks/plan/disk-layout.ts'

const mebibyte = 1024 * 1024
const root: Partition = {
  name: 'root',
  size: 100 * mebibyte,
  grow: true,
  content: { kind: 'ext4', mount: '/', options: 'errors=remount-ro' },
}
const bios: Partition = { name: 'bios', size: mebibyte, grow: false, content: { kind: 'bios' } }
const esp: Partition = {
  name: 'esp',
  size: 64 * mebibyte,
  grow: false,
  content: { kind: 'esp', mount: '/boot/efi' },
}
const layout: DiskLayout = {
  size: 1024 * mebibyte,
  table: 'gpt',
  partitions: [bios, esp, root],
  boot: { bios: true, uefi: true, cmdline: 'console=ttyS0,115200', timeout: 1 },
}

describe('finishDiskLayout', () => {
  test('the growing partition takes what is left', () => {
    expect(finishDiskLayout(layout).partitions.map(({ size }) => size / mebibyte)).toEqual([1, 64, 957])
  })

  test('a finished layout stays as it is', () => {
    const once = finishDiskLayout({ ...layout, partitions: [bios, esp, { ...root, grow: false }] })
    expect(finishDiskLayout(once)).toEqual(once)
  })

  const wrong: readonly [string, Partial<DiskLayout>, string, string][] = [
    [
      'too big',
      { size: 100 * mebibyte },
      'disk layout: the partitions need 167 MiB but the disk has 100 MiB',
      'give the disk at least 167M, or make the partitions smaller',
    ],
    [
      'odd disk',
      { size: 1000 },
      'disk layout: the size of disk is 1000 bytes, which is not a whole number of MiB',
      'round it to a multiple of 1048576',
    ],
    [
      'odd partition',
      { partitions: [{ ...root, size: 0 }] },
      'disk layout: the size of root is 0 bytes, which is not a whole number of MiB',
      'round it to a multiple of 1048576',
    ],
    [
      'bad name',
      { partitions: [{ ...root, name: '../x' }] },
      'disk layout: the partition name "../x" is not 1 to 36 of a-z, 0-9 and -',
      'name it for what it is: root, var-log',
    ],
    [
      'one name twice',
      { partitions: [bios, bios, root] },
      'disk layout: two partitions are named "bios"',
      'give each its own name',
    ],
    [
      'two growing',
      { partitions: [{ ...esp, grow: true }, root] },
      'disk layout: more than one partition takes what is left of the disk',
      'let only one of them grow',
    ],
    [
      'no root',
      { partitions: [bios, esp] },
      'disk layout: no partition is mounted on /',
      'add a root partition',
    ],
    [
      'two roots',
      { partitions: [bios, esp, root, { ...root, name: 'other', grow: false }] },
      'disk layout: two partitions are mounted on /',
      'give each its own mount point',
    ],
    [
      'odd mount point',
      { partitions: [{ ...root, content: { kind: 'xfs', mount: '/a/../b', options: 'defaults' } }] },
      'disk layout: the mount point "/a/../b" is no plain absolute path',
      'write it like /var/log',
    ],
    [
      'two of bios',
      { partitions: [bios, { ...bios, name: 'other' }, root] },
      'disk layout: 2 partitions hold "bios"',
      'one is enough',
    ],
    [
      'no place for GRUB under BIOS',
      { partitions: [esp, root] },
      'disk layout: booting by BIOS needs a "bios" partition',
      'add one of 1 MiB',
    ],
    [
      'no place for GRUB under UEFI',
      { partitions: [bios, root] },
      'disk layout: booting by UEFI needs an "esp" partition',
      'add one of 64 MiB or more',
    ],
  ]
  test.each(wrong)('%s is refused', (...[, change, message, hint]) => {
    const error = errorOf(() => finishDiskLayout({ ...layout, ...change }))
    expect({ code: error.code, message: error.message, hint: error.fields.hint }).toEqual({
      code: 'OPTION_INVALID',
      message,
      hint,
    })
  })

  test('whatever fits is placed without overlap and inside the disk', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 10 })
    fc.assert(
      fc.property(sizes, fc.nat(10_000), fc.nat(9), (mebibytes, spare, growing) => {
        const partitions = mebibytes.map((size, index): Partition => ({
          name: `p${index}`,
          size: size * mebibyte,
          grow: index === growing,
          content: { kind: 'ext4', mount: index === 0 ? '/' : `/m${index}`, options: 'defaults' },
        }))
        const size = (mebibytes.reduce((sum, one) => sum + one, 2) + spare) * mebibyte
        const boot = { ...layout.boot, bios: false, uefi: false }
        const finished = finishDiskLayout({ size, table: 'gpt', partitions, boot })
        let end = mebibyte
        for (const [index, placed] of placePartitions(finished).entries()) {
          expect(placed).toMatchObject({ number: index + 1, start: end })
          end += placed.size
        }
        expect(end).toBeLessThanOrEqual(size - mebibyte)
        const filled = growing < mebibytes.length ? size - mebibyte : end
        expect(end).toBe(filled)
      }),
    )
  })
})

describe('deriveDiskIds', () => {
  test('version 5 as in RFC 9562', () => {
    expect(uuidV5('www.example.com', '6ba7b810-9dad-11d1-80b4-00c04fd430c8')).toBe(
      '2ed6657d-e927-568b-95e1-2665a8aea6a2',
    )
  })

  test('the ids are constants', () => {
    expect(deriveDiskIds(layout)).toMatchInlineSnapshot(`
      {
        "disk": "e95450e6-89fa-5350-bbd2-4ef05cb09f8d",
        "partitions": {
          "bios": {
            "filesystem": "eab948f2-e919-568d-b67a-e129ec3d5060",
            "hashSeed": "c5b7d584-9ccc-5832-8bc6-4eede0788ca9",
            "partition": "1086fec7-df17-55c3-a34d-e519e54c8136",
          },
          "esp": {
            "filesystem": "1BD4-89EE",
            "hashSeed": "09b77ce1-12f8-5f3a-a529-532aeb1ee463",
            "partition": "14d3ce3d-0049-50e4-ae56-1c652bd7f699",
          },
          "root": {
            "filesystem": "d7381ee8-cfe8-5bec-b7ab-ba93d01f6537",
            "hashSeed": "5f676dbe-1af3-5ead-8e10-be2551daf3dc",
            "partition": "585e09be-8604-50c5-a8e6-87e90092b4bf",
          },
        },
      }
    `)
  })

  test('a UUID of the layout wins', () => {
    const uuid = '00000000-0000-4000-8000-000000000001'
    const ids = deriveDiskIds({ ...layout, partitions: [{ ...root, uuid }] })
    expect(ids.partitions['root']?.filesystem).toBe(uuid)
    expect(ids.partitions['root']?.partition).toBe(deriveDiskIds(layout).partitions['root']?.partition)
  })
})

function errorOf(run: () => unknown): ImgError {
  try {
    run()
  } catch (error) {
    if (error instanceof ImgError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
