import * as fc from 'fast-check'
import { finishDiskLayout, type Partition } from '../../tasks/plan/disk-layout.ts'
import { expect, test } from 'vitest'
import { readPreseed } from '../../preseed/read-preseed.ts'

const others = 'd-i passwd/root-login boolean false\nd-i passwd/make-user boolean false\n'

const table: readonly [answers: string, said: readonly string[]][] = [
  [
    'd-i partman-auto/choose_recipe select multi',
    [
      'warning 3: the disk has 4291 MB, the recipe needs 11769 MB; small_disk is used, as by the installer -> choose small_disk, or a larger disk',
    ],
  ],
  [
    'd-i partman-auto/expert_recipe string x :: 9000 9000 -1 ext4 method{ format } mountpoint{ / } .',
    [
      'error 3: the partitions need 9001 MB but the disk has 4291 MB for them -> give the recipe bootstrap a disk of 9G, or make the partitions smaller',
    ],
  ],
  [
    'd-i partman-auto/expert_recipe string x :: 100 100 -1 btrfs method{ format } mountpoint{ / } .',
    [
      'error 3: the filesystem btrfs is not supported -> use ext4, xfs, swap, an EFI system partition (method{ efi }) and biosgrub',
    ],
  ],
  [
    'd-i partman-auto/expert_recipe string x :: 100 100 -1 ext4 method{ lvm } .',
    [
      "error 3: the recipe's method{ lvm } is not supported -> use ext4, xfs, swap, an EFI system partition (method{ efi }) and biosgrub",
    ],
  ],
  [
    'd-i partman-auto/expert_recipe string x :: 100 100 -1 ext4 $lvmok{ } in_vg{ x } method{ format } mountpoint{ / } .',
    [
      "error 3: the recipe's field in_vg{ } is not supported -> use ext4, xfs, swap, an EFI system partition (method{ efi }) and biosgrub",
    ],
  ],
  [
    'd-i partman-auto/expert_recipe string x :: 100 100 -1 ext4 method{ format } mountpoint{ /home } .',
    ['error 3: no partition is mounted on / -> add one with mountpoint{ / }'],
  ],
  [
    'd-i partman-auto/expert_recipe string x :: 100 100 -1 ext4 method{ format } mountpoint{ / } . 100 100 -1 ext4 method{ format } mountpoint{ / } .',
    ['error 3: two partitions are mounted on / -> give each its own mount point'],
  ],
  [
    'd-i partman-auto/expert_recipe string x :: 100 100 -1 ext4 method{ format } mountpoint{ / } . 10 10 10 free method{ efi } .',
    ['error 3: the EFI system partition is smaller than 36 MB -> give it 64 MB or more'],
  ],
  [
    'd-i partman-auto/expert_recipe string x :: 100 100 -1 ext4 method{ format } mountpoint{ /a/../b } .',
    [
      'error 3: the mount point "/a/../b" is no plain absolute path -> use ext4, xfs, swap, an EFI system partition (method{ efi }) and biosgrub',
    ],
  ],
  [
    'd-i partman-auto/expert_recipe string x :: 100 100 -1 ext4 method{ format } .',
    [
      'error 3: a partition of the recipe has no mountpoint{ } -> use ext4, xfs, swap, an EFI system partition (method{ efi }) and biosgrub',
    ],
  ],
]

test.each(table)('what is said of %j', (answers, said) => {
  const found = readPreseed(`${others}${answers}\n`, 4 * 1024 ** 3).findings
  expect(found.map((one) => `${one.severity} ${one.line}: ${one.message} -> ${one.hint}`)).toEqual(said)
})

const show = ({ name, size, grow, content }: Partition): string => {
  const use = 'mount' in content ? content.mount : content.kind
  const options = 'options' in content ? ` ${content.kind} ${content.options}` : ''
  return `${name} ${size / 1024 ** 2}M${grow ? '+' : ''} ${use}${options}`
}

const layOut = (answers: string, size: number): readonly string[] | undefined =>
  readPreseed(`${others}${answers}\n`, size).settings.disk?.partitions.map(show)

test.each(['atomic', 'home', 'multi', 'server', 'small_disk'])('the recipe %s on 20 GiB', (name) => {
  expect(layOut(`d-i partman-auto/choose_recipe select ${name}`, 20 * 1024 ** 3)).toMatchSnapshot()
})

test('filesystem, label, options, reserve, and what only MBR disks and LVM have', () => {
  const recipe = `d-i partman-auto/expert_recipe string x :: \\
    1 1 1 free $iflabel{ msdos } method{ biosgrub } . \\
    512 512 512 ext4 $defaultignore{ } method{ format } mountpoint{ /boot } . \\
    128 128 128 free method{ efi } format{ } . \\
    2000 3000 1000000000 $default_filesystem method{ format } $default_filesystem{ } mountpoint{ / } \\
      label{ system } reserved_for_root{ 1 } . \\
    500 500 500 xfs method{ format } filesystem{ xfs } mountpoint{ /var/log } options/noexec{ noexec } . \\
    256 256 256 linux-swap method{ swap } .`
  const { settings, findings } = readPreseed(`${others}${recipe}\n`, 4 * 1024 ** 3)
  expect(findings).toEqual([])
  expect(settings.disk?.partitions.map(show)).toEqual([
    'bios 1M bios',
    'esp 122M /boot/efi',
    'var-log 476M /var/log xfs noexec',
    'swap 244M swap',
    'root 3248M+ / ext4 errors=remount-ro,x-systemd.growfs',
  ])
  expect(settings.disk?.partitions.at(-1)?.content).toMatchObject({ label: 'system', reserved: 1 })
})

test('what the installer would lay out always fits and fills the disk', () => {
  const sizes = fc.tuple(fc.integer({ min: 40, max: 900 }), fc.nat(5000), fc.nat(9000))
  const partitions = fc.array(sizes, { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(partitions, fc.integer({ min: 6000, max: 60_000 }), (triples, mebibytes) => {
      const parts = triples.map(([min, priority, max], index) => {
        const mount = index === 0 ? '/' : `/m${index}`
        const limit = index === 0 ? -1 : max
        return `${min} ${priority} ${limit} ext4 method{ format } mountpoint{ ${mount} } .`
      })
      const recipe = `d-i partman-auto/expert_recipe string x :: ${parts.join(' ')}`
      const size = mebibytes * 1024 ** 2
      const { settings } = readPreseed(`${others}${recipe}\n`, size)
      const boot = { bios: true, uefi: false, cmdline: '', timeout: 0 }
      const laid = finishDiskLayout({
        ...(settings.disk ?? { size, table: 'gpt', partitions: [] }),
        boot,
      })
      const total = laid.partitions.reduce((sum, one) => sum + one.size, 2 * 1024 ** 2)
      expect(total).toBe(size)
      for (const [index, [min]] of triples.entries()) {
        const one = laid.partitions.find(({ name }) => name === (index === 0 ? 'root' : `m${index}`))
        expect(one?.size).toBeGreaterThanOrEqual(Math.floor((min * 1e6) / 1024 ** 2) * 1024 ** 2)
      }
    }),
  )
})
