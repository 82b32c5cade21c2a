// What is left of stores and a remote when a process is killed at a system call, and when files are damaged at random
// places: what was acknowledged is there, byte for byte, nothing else is believed, and the next run succeeds.
// Usage: crash.ts FOLDER [KILLS [CORRUPTIONS]], needs strace; by jiti it is run from the repository's folder.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pattern } from '../../test/rig/ext4-image.ts'
import { damageEverywhere } from './crash-damage.ts'
import { killEverywhere } from './crash-kill.ts'
import { openScene } from './crash-scene.ts'

const [folder = '', kills = '250', corruptions = '2000'] = process.argv.slice(2)
await mkdir(folder, { recursive: true })
const disks = [join(folder, 'one'), join(folder, 'two')]
await writeFile(disks[0]!, Buffer.concat([pattern(300_000, 1), pattern(300_000, 2)]))
await writeFile(disks[1]!, Buffer.concat([pattern(300_000, 1), pattern(300_000, 3)]))
const keyFile = join(folder, 'key.json')
if (Number(kills) > 0) {
  const scene = await openScene(join(folder, 'killed'), disks, keyFile)
  await killEverywhere(scene, { keyFile, limit: Number(kills) })
}
await damageEverywhere(folder, disks, Number(corruptions))
