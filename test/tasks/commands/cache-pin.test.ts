import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openStore } from '../../../cache/open-store.ts'
import { cachePin, cacheUnpin } from '../../../tasks/commands/cache-pin.ts'
import type { Call } from '../../../tasks/commands/command.ts'
import type { RunContext } from '../../../tasks/context.ts'
import { ImgError } from '../../../tasks/errors.ts'
import { exampleRecord } from '../../rig/example-record.ts'

let folder: string
let context: RunContext
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'img-pin-'))
  context = { cacheDir: join(folder, 'cache'), now: () => 1_700_000_000_000 } as RunContext
  writeFileSync(join(folder, 'disk'), 'a disk')
  const store = await openStore({ dir: context.cacheDir, now: context.now })
  const artifact = await store.put({ 'disk.raw': join(folder, 'disk') })
  await store.save(exampleRecord({ artifact }))
  await store.close()
})
afterEach(() => rmSync(folder, { recursive: true }))

async function run(command: typeof cachePin, ...args: readonly string[]): Promise<string> {
  const printed: unknown[] = []
  const call: Call = {
    args,
    options: {},
    json: false,
    cwd: folder,
    print: (result) => void printed.push(result),
  }
  expect(await command.run(call, context)).toBe(0)
  return printed.join('')
}

test('a build is pinned by its layer or its key, listed, and unpinned', async () => {
  expect(await run(cachePin)).toBe('nothing is pinned\n')
  const pinned = 'layer        key           since\nbase:trixie  aaaaaaaaaaaa  2023-11-14\n'
  expect(await run(cachePin, 'base:trixie')).toBe(pinned)
  expect(await run(cachePin, 'aaaaaaaa')).toBe(pinned)
  expect(await run(cacheUnpin, 'base:trixie')).toBe('nothing is pinned\n')
})

test('what is not there is said', async () => {
  const hint = 'give a layer that was built, or the beginning of a key as `img show` prints it'
  await expect(run(cachePin, 'base:other')).rejects.toThrow(
    new ImgError('RECORD_MISSING', 'nothing in the cache is called base:other', { hint }),
  )
  await expect(run(cacheUnpin, 'base:trixie')).rejects.toThrow(
    new ImgError('RECORD_MISSING', 'base:trixie is not pinned', {
      hint: 'run `img cache pin` to see what is',
      validOptions: [],
    }),
  )
})
