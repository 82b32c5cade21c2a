// A process of the race: for each line `ROUND NUMBER` it builds the round's layer unless somebody has, and one of its
// own. Usage: race-work.ts CACHE FOLDER

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { openStore } from '../../cache/open-store.ts'
import { pattern } from '../../test/rig/ext4-image.ts'
import { keyOf, mustBe, recordOf } from './crash-scene.ts'

const [dir = '', folder = ''] = process.argv.slice(2)
const store = await openStore({ dir, now: () => 0 })

async function build(number: number): Promise<'built' | 'reused'> {
  const found = await store.find(keyOf(number))
  const path = join(folder, `own-${process.pid}`)
  await writeFile(path, Buffer.concat([pattern(150_000, 0), pattern(150_000, number + 1)]))
  const record = found.hit ? found.record : recordOf(number, await store.put({ 'disk.raw': path }))
  if (!found.hit) await store.save(record)
  await mustBe({ folder }, store, { record, path, name: `restored-${process.pid}` })
  return found.hit ? 'reused' : 'built'
}

for await (const line of createInterface({ input: process.stdin })) {
  const [round = 0, at = 0] = line.split(' ').map(Number)
  const outcome = await store.withKeyLock(keyOf(round), {}, async () => {
    console.log(`holds ${round}`)
    return build(round)
  })
  await build(1_000_000 + round * 100 + at)
  console.log(`round ${round} ${outcome}`)
}
await store.close()
