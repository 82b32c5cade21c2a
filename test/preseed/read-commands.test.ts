import { expect, test } from 'vitest'
import { readPreseed } from '../../preseed/read-preseed.ts'

const others = 'd-i passwd/root-login boolean false\nd-i passwd/make-user boolean false\n'

const table: readonly [answers: string, said: readonly string[]][] = [
  [
    'd-i preseed/early_command string anna-install some-udeb',
    [
      'error 3: preseed/early_command runs in the installer, and none is booted -> remove it, or do the same to the image in preseed/late_command',
    ],
  ],
  [
    'd-i partman/early_command string debconf-set partman-auto/disk /dev/vda',
    [
      'error 3: partman/early_command runs in the installer, and none is booted -> remove it, or do the same to the image in preseed/late_command',
    ],
  ],
  [
    'd-i preseed/late_command string preseed_fetch x /target/x; in-target true',
    [
      'error 3: preseed/late_command calls preseed_fetch, which only the installer has -> use commands of the image; in-target, apt-install, log-output and /target are understood',
    ],
  ],
  [
    'd-i preseed/include string other.cfg',
    [
      "error 3: preseed/include takes answers from elsewhere, which would not be part of the layer's key -> put the answers into this file",
    ],
  ],
  [
    'd-i preseed/run string x.sh',
    [
      "error 3: preseed/run takes answers from elsewhere, which would not be part of the layer's key -> put the answers into this file",
    ],
  ],
]

test.each(table)('what is said of %j', (answers, said) => {
  const found = readPreseed(`${others}${answers}\n`).findings
  expect(found.map((one) => `${one.severity} ${one.line}: ${one.message} -> ${one.hint}`)).toEqual(said)
})

test('commands without effect and words that only look like the installer are fine', () => {
  const answers = `d-i preseed/early_command string true
d-i preseed/late_command string echo preseed_fetched > /target/etc/note; in-target update-grub`
  const { settings, findings } = readPreseed(`${others}${answers}\n`)
  expect(findings).toEqual([])
  expect(settings.commands.lateCommand).toEqual({
    command: 'echo preseed_fetched > /target/etc/note; in-target update-grub',
    line: 4,
  })
})
