import { expect, test } from 'vitest'
import { fillPlaceholders, wrongPlaceholder } from '../../../tasks/plan/placeholders.ts'

test('each placeholder becomes its fact, everything else stays', async () => {
  const text = '{"size":{{size a.box}},"sha256":"{{sha256 a.box}}","key":"{{key}}","x":{"y":{}}} ${cwuri}'
  const filled = await fillPlaceholders(text, ({ fact, of }) => `<${fact}|${of}>`)
  expect(filled).toBe('{"size":<size|a.box>,"sha256":"<sha256|a.box>","key":"<key|>","x":{"y":{}}} ${cwuri}')
})

test.each([
  [
    '{{size a.box}} {{sha512 a.box}} {{disk-bytes}} {{disk-gib}} {{key}} {{uuid disk}} {{hex6 mac}}',
    undefined,
  ],
  ['{{colour}}', '{{colour}}'],
  ['{{size}}', '{{size}}'],
  ['{{key a}}', '{{key a}}'],
  ['{{constructor}}', '{{constructor}}'],
])('%s: wrong is %s', (text, wrong) => {
  expect(wrongPlaceholder(text)).toBe(wrong)
})
