// Several processes in one store, and processes that die in it.

import { existsSync } from 'node:fs'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openStore } from '../../../cache/open-store.ts'
import { startChild, type TalkingChild } from '../../rig/talking-child.ts'

let folder: string
let dir: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'img-processes-'))
  dir = join(folder, 'cache')
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

const start = (...argv: readonly string[]): TalkingChild =>
  startChild(new URL('child.ts', import.meta.url).pathname, [dir, ...argv])

test('killed at any moment, the store keeps what was recorded and nothing half', async () => {
  for (let round = 0; round < 12; round++) {
    const { kill, lines, says } = start('put', folder)
    await says('ready')
    // Moments of the first puts and of later ones; a put and its record take tens of milliseconds.
    await wait(round * 37)
    await kill()

    const store = await openStore({ dir, now: Date.now })
    // The first call that writes clears up.
    await store.writeValue('round', String(round))
    for (const name of ['tmp', 'writing']) expect(await listed(join(dir, name))).toEqual([])
    expect(await store.verify({ readData: true })).toEqual([])
    for (const line of lines.filter((said) => said.startsWith('saved '))) {
      const [, key, disk] = line.split(' ') as [string, string, string]
      const found = await store.find(key)
      const file = found.hit ? found.record.artifact['disk.raw']! : undefined
      await store.restore(file!, join(folder, 'out'))
      expect((await readFile(join(folder, 'out'))).equals(await readFile(disk))).toBe(true)
    }
    await writeFile(join(folder, 'disk'), `round ${round}`)
    await store.put({ 'disk.raw': join(folder, 'disk') })
    await store.close()
  }
})

test('two processes write to one store at the same time', async () => {
  const both = [start('put', folder), start('put', folder)]
  for (const { says, lines } of both) {
    await says('saved')
    while (lines.length < 6) await wait(20)
  }
  for (const { kill } of both) await kill()
  const store = await openStore({ dir, now: Date.now })
  await store.writeValue('x', '')
  expect(await store.verify({ readData: true })).toEqual([])
  const saved = both.flatMap(({ lines }) => lines).filter((line) => line.startsWith('saved '))
  const found = await Promise.all(saved.map((line) => store.find(line.split(' ')[1]!)))
  expect(found.filter(({ hit }) => !hit)).toEqual([])
  await store.close()
})

test('a second process waits for a key’s lock, says for whom, and gets it when the first is killed', async () => {
  const key = 'a'.repeat(64)
  const first = start('lock', key)
  await first.says('locked')
  const second = start('lock', key)
  expect(await second.says('waits')).toBe(`waits for ${first.pid}`)
  const other = start('lock', 'b'.repeat(64))
  await other.says('locked')
  expect(second.lines).not.toContain('locked')
  await first.kill()
  await second.says('locked')
})

test('leftovers stay while somebody is in the store', async () => {
  const inside = start('lock', 'a'.repeat(64))
  await inside.says('locked')
  const left = join(dir, 'tmp', 'left')
  const store = await openStore({ dir, now: Date.now })
  await store.writeValue('x', '')
  await writeFile(left, '')
  await store.close()
  const second = await openStore({ dir, now: Date.now })
  await second.writeValue('x', '')
  expect(existsSync(left)).toBe(true)
  await second.close()
  await inside.kill()
  const third = await openStore({ dir, now: Date.now })
  await third.writeValue('x', '')
  expect(existsSync(left)).toBe(false)
  await third.close()
})

async function listed(path: string): Promise<readonly string[]> {
  return existsSync(path) ? readdir(path) : []
}
