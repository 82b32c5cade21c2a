import { expect, test } from 'vitest'
import { toTags } from '../../../tasks/commands/publish-tags.ts'

test('tags add up', () => {
  expect(toTags('v1.0', toTags('latest'))).toEqual(['latest', 'v1.0'])
})

test.each([
  ['no:tag', '--tag takes letters, digits, _ . and -, not no:tag', 'write --tag latest'],
  [
    'r7',
    '--tag r7 is what a push itself gives',
    'revision and key are tags in any case: choose another name',
  ],
  [
    'key-0123456789ab',
    '--tag key-0123456789ab is what a push itself gives',
    'revision and key are tags in any case: choose another name',
  ],
])('%s is refused', (tag, message, hint) => {
  expect(() => toTags(tag)).toThrow(
    expect.objectContaining({ code: 'USAGE', message, fields: { hint, found: tag } }),
  )
})
