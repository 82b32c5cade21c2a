// A process of its own for the tests beside it: `child.ts DIR put FOLDER` stores and records disk after disk, saying
// each; `child.ts DIR lock KEY` takes a key's lock, says what it meets, and keeps it until its input ends.

import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openStore } from '../../../cache/open-store.ts'
import { exampleRecord } from '../../rig/example-record.ts'

const [dir, what, argument] = process.argv.slice(2) as [string, string, string]
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const store = await openStore({ dir, now: Date.now })

if (what === 'put') {
  say('ready')
  for (let number = 0; ; number++) {
    const disk = join(argument, `${process.pid}-${number}.raw`)
    writeFileSync(disk, Buffer.concat([randomBytes(1_500_000), Buffer.alloc(1_000_000, `${number} `)]))
    const key = randomBytes(32).toString('hex')
    await store.save(exampleRecord({ key, artifact: await store.put({ 'disk.raw': disk }) }))
    say(`saved ${key} ${disk}`)
  }
} else {
  const onWait = ({ pid }: { readonly pid: number | undefined }): void => say(`waits for ${pid}`)
  await store.withKeyLock(argument, { onWait }, async () => {
    say('locked')
    for await (const _ of process.stdin);
  })
  await store.close()
}
