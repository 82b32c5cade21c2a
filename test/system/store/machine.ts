// A machine of its own for the test beside it, with a store of its own: `machine.ts STORE REMOTE NAME OTHER FROM`. Round
// after round it sends a disk under its name and one under everybody's, gets the other's, and says what it sent and got.

import { createCipheriv, createHash, createPrivateKey, createPublicKey } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { openStore } from '../../../cache/open-store.ts'
import { directoryRemote } from '../../../cache/remotes/directory.ts'
import { findEntry } from '../../../cache/remotes/find-entry.ts'
import { readPublicKey, renderPublicKey } from '../../../cache/trust/dsse.ts'
import type { TrustedKey } from '../../../cache/trust/trusted-keys.ts'
import { canonicalJson } from '../../../tasks/plan/canonical.ts'
import type { JsonValue } from '../../../tasks/plan/json-value.ts'
import { exampleRecord } from '../../rig/example-record.ts'

const [dir, folder, name, other, from] = process.argv.slice(2) as [string, string, string, string, string]
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const { signal } = new AbortController()
const remote = directoryRemote(folder)
const store = await openStore({ dir, now: Date.now })

const keyFile = (of: string): string => join(folder, '..', `${of}.pem`)
const own = createPrivateKey(readFileSync(keyFile(name)))
const { id } = readPublicKey(renderPublicKey(createPublicKey(own)))!
const keys: readonly TrustedKey[] = [name, other].map((of) => {
  const text = renderPublicKey(createPublicKey(createPrivateKey(readFileSync(keyFile(of)))))
  const key = readPublicKey(text)!
  return { ...key, name: of, public: text, namespaces: ['main'], notAfter: undefined, revoked: false }
})

const recordOf = (of: string, round: number): { keyRecord: JsonValue; key: string } => {
  const keyRecord = { of, round }
  return { keyRecord, key: createHash('sha256').update(canonicalJson(keyRecord)).digest('hex') }
}

async function send(of: string, round: number, data: Buffer): Promise<void> {
  const disk = join(dir, '..', `${name}.raw`)
  writeFileSync(disk, data)
  const record = exampleRecord({ ...recordOf(of, round), artifact: await store.put({ 'disk.raw': disk }) })
  await store.save(record)
  await store.publish(record, {
    remote,
    key: { id, key: own },
    project: 'project-1',
    namespace: 'main',
    signal,
  })
  say(`sent ${of} ${round} ${digestOf(data)}`)
}

const onRefused = ({ reason }: { readonly reason: string }): void => say(`refused ${reason}`)

async function get(of: string, round: number): Promise<void> {
  const { key } = recordOf(of, round)
  const reader = {
    remote,
    keys: { project: 'project-1', keys },
    namespaces: ['main'],
    now: () => 0,
    onRefused,
  }
  for (;;) {
    const entry = (await findEntry(reader, key, signal))?.content
    if (entry?.kind === 'record') {
      const artifact = await store.receive({ remote, entry, signal, onProgress: () => undefined })
      await store.save({ ...entry.record, artifact })
      const file = join(dir, '..', `${name}.got`)
      await store.restore(artifact['disk.raw']!, file)
      say(`got ${of} ${round} ${digestOf(readFileSync(file))}`)
      return
    }
    await wait(20)
  }
}

const digestOf = (data: Buffer): string => createHash('sha256').update(data).digest('hex')
/** Of one name always the same bytes, which do not compress. */
function noise(seed: string, length: number): Buffer {
  const key = createHash('sha256').update(seed).digest()
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length))
}

await store.writeValue('log:1', 'the log\n')
for (let round = Number(from); ; round++) {
  const [now, before] = [round, round - 1].map((of) => noise(`all ${of}`, 300_000)) as [Buffer, Buffer]
  await send('all', round, Buffer.concat([now, before]))
  await send(name, round, Buffer.concat([now, noise(`${name} ${round}`, 400_000), before]))
  await get(other, round)
}
