import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { watch } from '../../../tasks/commands/watch.ts'
import type { ImgEvent } from '../../../tasks/events.ts'
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
  const call = { args: [], options: {}, json: false, cwd: context.root, print: () => undefined }
  expect(await watch.run(call, context)).toBe(130)
  expect(events).toMatchObject([
    { event: 'error', error: { code: 'IMGFILE_INVALID' } },
    { event: 'round-end', status: 'failed' },
    { event: 'watching', folders: 1, polling: false },
  ])
  expect(readdirSync(join(context.cacheDir, 'work'))).toEqual([])
}, 30_000)
