// What the crash bench kills: stores two builds of a layer, records them, and collects what the first one leaves.
// Usage: jiti bench/store/crash-work.ts CACHE DISK DISK

import { exampleRecord } from '../../test/rig/example-record.ts'
import { openStore } from '../../cache/open-store.ts'

const [dir, ...disks] = process.argv.slice(2)
const store = await openStore({ dir: dir!, now: () => 0 })
for (const [number, path] of disks.entries()) {
  const artifact = await store.put({ 'disk.raw': path })
  await store.save(exampleRecord({ key: String(number + 1).repeat(64), artifact, started: number }))
  console.log(`saved ${number}`)
}
await store.collect({ last: 1, days: 0, now: 1, dryRun: false })
console.log('collected')
await store.close()
