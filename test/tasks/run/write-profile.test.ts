import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkProfile, writeProfile } from '../../../tasks/run/write-profile.ts'
import { testContext } from '../../rig/run-context.ts'

test('a place without a folder, or that is one, is refused before anything is built', () => {
  const { root } = testContext()
  expect(() => checkProfile(join(root, 'none', 'trace.json'))).toThrow(
    expect.objectContaining({
      code: 'USAGE',
      message: `there is no folder ${root}/none for the profile`,
      fields: { hint: `mkdir -p ${root}/none`, found: `${root}/none/trace.json` },
    }),
  )
  expect(() => checkProfile(root)).toThrow(
    expect.objectContaining({ code: 'USAGE', message: `--profile takes a file, and ${root} is a folder` }),
  )
  expect(checkProfile(join(root, 'trace.json'))).toBeUndefined()
})

test('a build that did nothing has an empty trace', () => {
  const context = testContext()
  const path = join(context.root, 'trace.json')
  writeProfile(path, undefined, context)
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ displayTimeUnit: 'ms', traceEvents: [] })
  expect(context.events).toEqual([
    { event: 'note', text: 'nothing had to be built, so the profile is empty' },
  ])
})
