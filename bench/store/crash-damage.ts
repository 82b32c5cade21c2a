// Damages files of a store at random places: every damage is found before use, and healed or a clean miss.

import { cp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openStore } from '../../cache/open-store.ts'
import { makeRandom } from '../../test/rig/random.ts'
import { keyOf, mustBe, recordOf } from './crash-scene.ts'

export async function damageEverywhere(
  folder: string,
  disks: readonly string[],
  count: number,
): Promise<void> {
  const random = makeRandom(1)
  const [whole, dir] = [join(folder, 'whole'), join(folder, 'damaged')]
  await rm(whole, { recursive: true, force: true })
  let store = await openStore({ dir: whole, now: () => 0 })
  for (const [number, path] of disks.entries())
    await store.save(recordOf(number, await store.put({ 'disk.raw': path })))
  await store.close()
  const seen = { found: 0, harmless: 0, hits: 0, misses: 0 }
  const kinds = new Map<string, number>()
  for (let round = 0; round < count; round++) {
    await rm(dir, { recursive: true, force: true })
    await cp(whole, dir, { recursive: true })
    const files = (await readdir(dir, { recursive: true, withFileTypes: true })).filter(
      (entry) => entry.isFile() && /content-v2|index-v5|footers/.test(entry.parentPath),
    )
    const { parentPath, name } = files[random(files.length)]!
    const kind = parentPath.slice(dir.length + 1).split('/')[0]!
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
    await damage(join(parentPath, name), random)
    store = await openStore({ dir, now: () => 0 })
    const problems = await store.verify({ readData: true })
    seen[problems.length > 0 ? 'found' : 'harmless']++
    let isHarmless = true
    for (const [number, path] of disks.entries()) {
      const found = await store.find(keyOf(number))
      // A hit that turns out damaged is refused, never wrong.
      const error = found.hit
        ? await mustBe({ folder }, store, { record: found.record, path }).catch((cause: Error) => cause)
        : undefined
      if (error !== undefined && !error.message.startsWith('cannot restore')) throw error
      isHarmless &&= found.hit && error === undefined
      seen[found.hit && error === undefined ? 'hits' : 'misses']++
    }
    // Only a line of the index can go without a trace: then it is as if nothing had ever been built.
    if (!isHarmless && problems.length === 0 && kind !== 'index-v5')
      throw new Error(`round ${round}, ${kind} ${name}: verify did not find it`)
    await store.repair()
    const left = (await store.verify({ readData: true })).filter((problem) => problem.kind !== 'index')
    if (left.length > 0) throw new Error(`round ${round}, ${name}: left ${JSON.stringify(left)}`)
    for (const [number, path] of disks.entries()) {
      const record = recordOf(number, await store.put({ 'disk.raw': path }))
      await store.save(record)
      await mustBe({ folder }, store, { record, path })
    }
    await store.close()
  }
  const where = JSON.stringify(Object.fromEntries(kinds))
  console.log(
    `${count} corruptions in ${where}: ${JSON.stringify(seen)}; no wrong byte, repair left nothing, all built again`,
  )
}

async function damage(path: string, random: (limit: number) => number): Promise<void> {
  const bytes = await readFile(path)
  const kind = random(5)
  if (kind === 0) return truncate(path, random(Math.max(1, bytes.length)))
  if (kind === 1) return rm(path)
  if (kind === 2) bytes.fill(0, random(bytes.length))
  else for (let change = 0; change < kind - 1; change++) bytes[random(bytes.length)]! ^= 1 << random(8)
  await writeFile(path, bytes)
}
