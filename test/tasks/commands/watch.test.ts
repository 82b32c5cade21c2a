import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Call } from '../../../tasks/commands/command.ts'
import { watch } from '../../../tasks/commands/watch.ts'
import type { RunContext } from '../../../tasks/context.ts'
import type { ImgEvent } from '../../../tasks/events.ts'
import { plainImgfile } from '../../rig/project.ts'
import { testContext } from '../../rig/run-context.ts'

test('a broken imgfile is shown and waited for; what a killed watch left is gone by then', async () => {
  const stopping = new AbortController()
  const events: ImgEvent[] = []
  const context = testContext({
    now: Date.now,
    signal: stopping.signal,
    emit: (event) => {
      events.push(event)
      if (event.event === 'watching') stopping.abort()
    },
  })
  writeFileSync(join(context.root, 'imgfile.ts'), 'export default (\n')
  mkdirSync(join(context.cacheDir, 'work/w-killed'), { recursive: true })
  expect(await watch.run(callOf(context), context)).toBe(130)
  expect(events).toMatchObject([
    { event: 'error', error: { code: 'IMGFILE_INVALID' } },
    { event: 'round-end', status: 'failed' },
    { event: 'watching', folders: 1, polling: false },
  ])
  expect(readdirSync(join(context.cacheDir, 'work'))).toEqual([])
}, 30_000)

test('a layer that was never there ends it', async () => {
  const context = testContext({ now: Date.now })
  writeFileSync(join(context.root, 'imgfile.ts'), plainImgfile)
  await expect(watch.run(callOf(context, 'base:b'), context)).rejects.toMatchObject({
    code: 'LAYER_UNKNOWN',
    message: 'there is no layer base:b',
  })
}, 30_000)

test('a layer that was taken out of the imgfile is waited for', async () => {
  const stopping = new AbortController()
  const told: string[] = []
  const context = testContext({
    now: Date.now,
    signal: stopping.signal,
    emit: (event) => {
      if (event.event === 'error') told.push(event.error.message)
      if (event.event === 'layer-end') told.push(event.layer)
      if (event.event === 'watching') writeFileSync(imgfile, plainImgfile.replaceAll('base:a', 'base:b'))
      if (event.event !== 'round-end') return
      if (told.at(-1) === 'there is no layer base:a') writeFileSync(imgfile, plainImgfile)
      else if (told.length > 1) stopping.abort()
    },
  })
  const imgfile = join(context.root, 'imgfile.ts')
  mkdirSync(join(context.root, 'files'))
  writeFileSync(join(context.root, 'files', 'one'), '')
  writeFileSync(imgfile, plainImgfile)
  expect(await watch.run(callOf(context, 'base:a'), context)).toBe(130)
  // It is tried, with nothing that could build it.
  expect(told.filter((one) => one !== 'base:a')).toEqual([
    'install:a',
    'there is no layer base:a',
    'install:a',
  ])
}, 30_000)

const callOf = ({ root }: RunContext, ...args: readonly string[]): Call => ({
  args,
  options: {},
  json: false,
  cwd: root,
  print: () => undefined,
})
