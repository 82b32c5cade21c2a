import * as fc from 'fast-check'
import { parsePreseed } from '../../preseed/parse-preseed.ts'
import { expect, test } from 'vitest'
import { readPreseed } from '../../preseed/read-preseed.ts'

const others = 'd-i passwd/root-login boolean false\nd-i passwd/make-user boolean false\n'

const table: readonly [answers: string, said: readonly string[]][] = [
  [
    'd-i passwd/username',
    [
      'error 3: "d-i passwd/username" is not an answer -> write OWNER QUESTION TYPE VALUE, for example: d-i time/zone string Etc/UTC',
    ],
  ],
  [
    'nonsense',
    [
      'error 3: "nonsense" is not an answer -> write OWNER QUESTION TYPE VALUE, for example: d-i time/zone string Etc/UTC',
    ],
  ],
  [
    'd-i passwd/username strng debian',
    [
      'error 3: "strng" is not a type of question (passwd/username) -> write one of string, boolean, select, multiselect, note, text, password, error, title, seen between the question and its value',
    ],
  ],
  [
    'd-i clock-setup/utc boolean yes',
    ['error 3: clock-setup/utc is "yes", not true or false -> write true or false'],
  ],
  [
    'd-i pkgsel/include string a \\',
    [
      'error 3: the line is continued with a backslash but the file ends -> remove the last backslash or add what is missing',
    ],
  ],
  [
    'd-i time/zone string Etc/UTC   ',
    [
      'warning 3: the value of time/zone ends in white space, which the installer takes as part of it -> remove the white space',
    ],
  ],
  [
    'd-i time/zone string Etc/UTC\nd-i time/zone string Europe/Oslo',
    [
      'warning 4: time/zone was answered in line 3 already; this answer replaces it -> remove line 3 or this one',
    ],
  ],
  [
    'd-i time/zone string Etc/UTC\r\n# comment\r',
    [
      'warning 3: the line ends in CR LF; every CR is ignored -> save the file with LF line ends, for example with: sed -i "s/\\r//" FILE',
    ],
  ],
  [
    'd-i time/zone string Etc/UTC\u0000',
    [
      'error 3: the line has a NUL character -> save the file as UTF-8 text',
      'error 3: "Etc/UTC\u0000" is no time zone -> write a path below /usr/share/zoneinfo, like Europe/Oslo',
    ],
  ],
]

test.each(table)('what is said of %j', (answers, said) => {
  const found = readPreseed(`${others}${answers}\n`).findings
  expect(found.map((one) => `${one.severity} ${one.line}: ${one.message} -> ${one.hint}`)).toEqual(said)
})

test('a byte order mark is an error, the answers are read all the same', () => {
  const { answers, findings } = parsePreseed('\uFEFFd-i time/zone string Etc/UTC\n')
  expect(answers.map(({ owner, question }) => `${owner} ${question}`)).toEqual(['d-i time/zone'])
  expect(findings).toEqual([
    {
      severity: 'error',
      line: 1,
      message: 'the file begins with a byte order mark, which the installer reads as part of its first line',
      hint: 'save it as UTF-8 without BOM',
    },
  ])
})

test('continued lines, comments within them, other owners, empty values', () => {
  const text = `# comment
d-i pkgsel/include string one \\
# in between
    two   \\

    three
  grub-pc grub-pc/install_devices multiselect
tzdata tzdata/Areas select Europe`
  expect(parsePreseed(text)).toEqual({
    answers: [
      { owner: 'd-i', question: 'pkgsel/include', type: 'string', value: 'one two three', line: 2 },
      { owner: 'grub-pc', question: 'grub-pc/install_devices', type: 'multiselect', value: '', line: 7 },
      { owner: 'tzdata', question: 'tzdata/Areas', type: 'select', value: 'Europe', line: 8 },
    ],
    findings: [],
  })
})

test('no text breaks the parser, and every answer has a line of the text', () => {
  const word = fc.constantFrom('d-i', 'a/b', 'string', 'boolean', '\\', '\n', ' ', '#', '\r', 'true', '{')
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(word).map((words) => words.join(' ')),
      ),
      (text) => {
        const lines = text.split('\n').length
        const { answers, findings } = parsePreseed(text)
        for (const { line } of [...answers, ...findings]) {
          expect(line).toBeGreaterThan(0)
          expect(line).toBeLessThanOrEqual(lines)
        }
      },
    ),
  )
})
