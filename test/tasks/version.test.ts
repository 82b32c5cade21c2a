import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { version } from '../../tasks/version.ts'

test("is package.json's", () => {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as object
  expect(manifest).toMatchObject({ version })
})
