import { confirmations, installerOnly, unsupported } from '../../preseed/installer-questions.ts'
import { expect, test } from 'vitest'
import { readPreseed } from '../../preseed/read-preseed.ts'

const others = 'd-i passwd/root-login boolean false\nd-i passwd/make-user boolean false\n'

const table: readonly [answers: string, said: readonly string[]][] = [
  [
    'd-i passwd/usrname string debian',
    ['error 3: the installer has no question "passwd/usrname" -> did you mean passwd/username?'],
  ],
  [
    'd-i completely/made-up string x',
    [
      'error 3: the installer has no question "completely/made-up" -> remove the line or name the package that asks instead of d-i',
    ],
  ],
  [
    'd-i clock-setup/ntp boolean true',
    ['warning 3: clock-setup/ntp has no effect, since no installer is booted -> nothing to do'],
  ],
  [
    'd-i apt-setup/multiarch string i386',
    ['error 3: apt-setup/multiarch is not supported -> remove the line, or do the same in a later recipe'],
  ],
  ['d-i partman/confirm boolean true', []],
  [
    'd-i debconf/priority select critical\nd-i time/zone seen false',
    [
      'warning 3: debconf/priority has no effect, since no installer is booted -> nothing to do',
      'warning 4: whether time/zone was seen has no effect, since nothing is asked -> nothing to do',
    ],
  ],
]

test.each(table)('what is said of %j', (answers, said) => {
  const found = readPreseed(`${others}${answers}\n`).findings
  expect(found.map((one) => `${one.severity} ${one.line}: ${one.message} -> ${one.hint}`)).toEqual(said)
})

test('every question is in one list, and none that a reader asks for', () => {
  const listed = [...confirmations, ...installerOnly, ...unsupported]
  expect(new Set(listed).size).toBe(listed.length)
  for (const question of listed) {
    const type = question === 'base-installer/kernel/linux/link_in_boot' ? 'boolean' : 'string'
    const { findings } = readPreseed(`${others}d-i ${question} ${type} true\n`)
    const said = findings.map(({ severity, message }) => `${severity} ${message.replace(question, 'it')}`)
    expect([question, said]).toEqual([question, expectedFor(question)])
  }
})

function expectedFor(question: string): readonly string[] {
  if (confirmations.has(question)) return []
  return installerOnly.has(question)
    ? ['warning it has no effect, since no installer is booted']
    : ['error it is not supported']
}

test('an unsupported answer that changes nothing is fine', () => {
  expect(readPreseed(`${others}d-i apt-setup/multiarch string\n`).findings).toEqual([])
})
