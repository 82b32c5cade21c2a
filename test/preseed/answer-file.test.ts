import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readAnswers } from '../../preseed/answer-file.ts'
import type { Finding } from '../../preseed/finding.ts'

const said = (findings: readonly Finding[]): readonly string[] =>
  findings.map(({ severity, line, message, hint }) => `${severity} ${line}: ${message} -> ${hint}`)

test.each([
  ['trixie.cfg', 'preseed'],
  ['bookworm.cfg', 'preseed'],
  ['xenial.cfg', 'preseed'],
  ['almalinux-9.ks', 'kickstart'],
  ['ubuntu-24.04.yaml', 'autoinstall'],
])('%s is a %s nothing is to be said about', (name, kind) => {
  const { answers, findings } = readAnswers(readFileSync(`preseed/${name}`, 'utf8'))
  expect(said(findings)).toEqual([])
  expect(answers.kind).toBe(kind)
  expect(answers.text).not.toMatch(/^\s*# ---/m)
})

test('a file that is none of them', () => {
  expect(said(readAnswers('hello\n').findings)).toEqual([
    'error 0: the file is no preseed, kickstart or autoinstall file -> write a preseed line such as `d-i time/zone string Etc/UTC`, a kickstart with %packages, or autoinstall:',
  ])
})

test.each([
  ['preseed', '# one\nd-i time/zone string Etc/UTC\n', 'd-i time/zone string Etc/UTC\n\n# two\n'],
  [
    'kickstart',
    '# one\nlang en_US.UTF-8\n\n%packages\n# c\nsudo\n%end\n',
    'lang en_US.UTF-8\n%packages\nsudo\n%end\n',
  ],
  [
    'autoinstall',
    'autoinstall:\n  version: 1\n  locale: C # c\n',
    'autoinstall: { locale: C, version: 1 }\n',
  ],
])('comments and order decide nothing in a %s', (_, one, other) => {
  expect(readAnswers(one).answers.text).toBe(readAnswers(other).answers.text)
})

test('comments in a script are part of it', () => {
  const [one, other] = ['# a', '# b'].map((comment) => `lang C\n%post\n${comment}\ntrue\n%end\n`)
  expect(readAnswers(one ?? '').answers.text).not.toBe(readAnswers(other ?? '').answers.text)
})

const bom = '\uFEFF'

test.each([
  [
    `${bom}lang en_US.UTF-8\r\nkeyboard us\0\n`,
    [
      'error 1: the file begins with a byte order mark, which the installer reads as part of its first line -> save it as UTF-8 without BOM',
      'error 1: the line ends in CR LF, and the installer takes the CR as part of the value -> save the file with LF line ends, for example with: sed -i "s/\\r//" FILE',
      'error 2: the line has a NUL character -> save the file as UTF-8 text',
    ],
  ],
])('characters installers stumble over', (content, messages) => {
  expect(said(readAnswers(content).findings).filter((one) => !one.startsWith('error 0:'))).toEqual(messages)
})
