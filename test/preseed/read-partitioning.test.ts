import { expect, test } from 'vitest'
import { readPreseed } from '../../preseed/read-preseed.ts'

const others = 'd-i passwd/root-login boolean false\nd-i passwd/make-user boolean false\n'

const table: readonly [answers: string, said: readonly string[]][] = [
  [
    'd-i partman-auto/method string lvm',
    [
      'error 3: partitioning by "lvm" is not supported -> write regular: LVM, encryption and RAID are set up on the machine an image is written to',
    ],
  ],
  [
    'd-i partman-auto/method string crypto',
    [
      'error 3: partitioning by "crypto" is not supported -> write regular: LVM, encryption and RAID are set up on the machine an image is written to',
    ],
  ],
  [
    'd-i partman-auto/method string raid',
    [
      'error 3: partitioning by "raid" is not supported -> write regular: LVM, encryption and RAID are set up on the machine an image is written to',
    ],
  ],
  [
    'd-i partman-auto/expert_recipe_file string /recipe',
    ['error 3: a recipe in a file of the installer cannot be read -> use partman-auto/expert_recipe'],
  ],
  [
    'd-i partman-auto/disk string /dev/sda /dev/sdb',
    ['error 3: an image has one disk, not 2 -> name one disk'],
  ],
  ['d-i partman/mount_style select label', ['error 3: mounting by "label" is not supported -> write uuid']],
  [
    'd-i partman-partitioning/default_label string msdos',
    ['error 3: a partition table of kind "msdos" is not supported -> write gpt'],
  ],
  [
    'd-i partman/default_filesystem string btrfs',
    ['error 3: the filesystem btrfs is not supported -> use ext4 or xfs'],
  ],
  [
    'd-i partman-auto/choose_recipe select tiny',
    [
      'error 3: there is no recipe "tiny" -> choose one of atomic, home, multi, server, small_disk, or write partman-auto/expert_recipe',
    ],
  ],
]

test.each(table)('what is said of %j', (answers, said) => {
  const found = readPreseed(`${others}${answers}\n`).findings
  expect(found.map((one) => `${one.severity} ${one.line}: ${one.message} -> ${one.hint}`)).toEqual(said)
})

test('a recipe may be named by its file', () => {
  const answers = 'd-i partman-auto/choose_recipe select /lib/partman/recipes/50home'
  const { settings } = readPreseed(`${others}${answers}\n`, 64 * 1024 ** 3)
  expect(settings.disk?.partitions.map(({ name }) => name)).toEqual(['bios', 'esp', 'root', 'swap', 'home'])
})

test('percentages are of the memory cap-ram names', () => {
  const answers = `d-i partman-auto/choose_recipe select small_disk
d-i partman-auto/cap-ram string 2048`
  expect(swap(answers)).toBe(1953 * 1024 ** 2)
  expect(swap(answers.split('\n')[0] ?? '')).toBe(976 * 1024 ** 2)
})

function swap(answers: string): number | undefined {
  const { disk } = readPreseed(`${others}${answers}\n`, 64 * 1024 ** 3).settings
  return disk?.partitions.find(({ name }) => name === 'swap')?.size
}
