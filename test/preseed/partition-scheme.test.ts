import { parseScheme } from '../../preseed/partition-scheme.ts'
import { expect, test } from 'vitest'
import { readPreseed } from '../../preseed/read-preseed.ts'

const others = 'd-i passwd/root-login boolean false\nd-i passwd/make-user boolean false\n'

const table: readonly [answers: string, said: readonly string[]][] = [
  [
    'd-i partman-auto/expert_recipe string x :: 1 1 .',
    [
      'error 3: partition 1 of the recipe: "" is no size -> write MIN PRIORITY MAX FILESYSTEM FIELD{ VALUE } … . in megabytes, for example: 500 10000 -1 ext4',
    ],
  ],
  [
    'd-i partman-auto/expert_recipe string x :: big 1 1 ext4 .',
    [
      'error 3: partition 1 of the recipe: "big" is no size -> write MIN PRIORITY MAX FILESYSTEM FIELD{ VALUE } … . in megabytes, for example: 500 10000 -1 ext4',
    ],
  ],
  [
    'd-i partman-auto/expert_recipe string x :: 1 1 1 ext4 method{ format } mountpoint{ /',
    ['error 3: the recipe\'s last partition "1 1 1 ext4" has no end -> end it with " ."'],
  ],
  [
    'd-i partman-auto/expert_recipe string x :: 1 1 1 ext4 method{ format .',
    [
      'error 3: partition 1 of the recipe: the field method is not closed by " }" -> write MIN PRIORITY MAX FILESYSTEM FIELD{ VALUE } … . in megabytes, for example: 500 10000 -1 ext4',
    ],
  ],
  [
    'd-i partman-auto/expert_recipe string x :: 1 1 1 ext4 method .',
    [
      'error 3: partition 1 of the recipe: "method" is no field -> write MIN PRIORITY MAX FILESYSTEM FIELD{ VALUE } … . in megabytes, for example: 500 10000 -1 ext4',
    ],
  ],
  [
    'd-i partman-auto/expert_recipe string x ::',
    [
      'error 3: the recipe has no partition -> write MIN PRIORITY MAX FILESYSTEM FIELD{ VALUE } … . in megabytes, for example: 500 10000 -1 ext4',
    ],
  ],
]

test.each(table)('what is said of %j', (answers, said) => {
  const found = readPreseed(`${others}${answers}\n`).findings
  expect(found.map((one) => `${one.severity} ${one.line}: ${one.message} -> ${one.hint}`)).toEqual(said)
})

test('sizes of memory, corrected priorities and fields', () => {
  const recipe = `boot-root ::
    500+50% 100 100% linux-swap method{ swap } format{ } .
    40 50 -1 ext4 $primary{ } method{ format } options/noatime{ noatime } mountpoint{ /srv } .`
  expect(parseScheme(recipe, 1000)).toEqual({
    ok: true,
    partitions: [
      {
        min: 1000,
        priority: 1000,
        max: 1000,
        filesystem: 'linux-swap',
        fields: new Map([
          ['method', 'swap'],
          ['format', ''],
        ]),
      },
      {
        min: 40,
        priority: 50,
        max: -1,
        filesystem: 'ext4',
        fields: new Map([
          ['$primary', ''],
          ['method', 'format'],
          ['options/noatime', 'noatime'],
          ['mountpoint', '/srv'],
        ]),
      },
    ],
  })
})
