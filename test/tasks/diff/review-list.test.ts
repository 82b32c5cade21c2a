import { expect, test } from 'vitest'
import { parseReviewList, titleOf } from '../../../tasks/diff/review-list.ts'

const list = (text: string): ReturnType<typeof parseReviewList> => parseReviewList(text, 'compare.ignore')

test('a line is a path, or a form and a name, and the reason', () => {
  const lines = list(`# comment

/etc/a  the hostname differs${'  '}
package ruby*   is needed on one side only
text /etc/fstab#0123456789ab  reviewed as it is
disk 3:uuid made anew by each installation
`)
  expect(lines).toEqual([
    { form: 'path', pattern: '/etc/a', reason: 'the hostname differs', line: 3 },
    { form: 'package', pattern: 'ruby*', reason: 'is needed on one side only', line: 4 },
    { form: 'text', pattern: '/etc/fstab', digest: '0123456789ab', reason: 'reviewed as it is', line: 5 },
    { form: 'disk', pattern: '3:uuid', reason: 'made anew by each installation', line: 6 },
  ])
  expect(lines.map(titleOf)).toEqual([
    '/etc/a',
    'package ruby*',
    'text /etc/fstab#0123456789ab',
    'disk 3:uuid',
  ])
})

test.each([
  ['/etc/a', '/etc/a has no reason', 'write behind it why this difference does not matter'],
  ['package ruby', 'package ruby has no reason', 'write behind it why this difference does not matter'],
  [
    'etc/a because',
    'etc/a is not an absolute path',
    'write the path in the image, as /etc/hostname, or one of text, order, bytecode, ids, package, user, group, setuid, capability, unit, kernel, argument, disk and a name',
  ],
  [
    'ids numbers differ',
    'ids numbers is not about an absolute path',
    'write ids and the path in the image, as ids /etc/hostname',
  ],
  [
    'text /etc/fstab because',
    'text /etc/fstab does not say which texts were reviewed',
    'write text PATH#DIGEST; compare shows the digest with the difference',
  ],
])('%s is refused', (line, message, hint) => {
  expect(() => list(`\n${line}\n`)).toThrow(
    expect.objectContaining({
      code: 'INPUT_INVALID',
      message: `compare.ignore:2: ${message}`,
      fields: { path: 'compare.ignore', line: 2, hint },
    }) as Error,
  )
})
