import { expect, test } from 'vitest'
import { renderLog } from '../../../tasks/commands/log.ts'

const raw = 'get 10%\rget 99%\r\n\u001b[31mred\u001b[0m \u001b]0;title\u0007\n'

test('a program reads what the tools wrote, a terminal does nothing a guest tells it', () => {
  expect(renderLog(raw, {})).toBe(raw)
  expect(renderLog(raw, { columns: 80 })).toBe('get 99%\nred \\x1b]0;title\\x07\n')
})
