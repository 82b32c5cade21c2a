// Two machines, each with a store and a network of its own, and one folder they share.

import { createHash, generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { startChild, type TalkingChild } from '../../rig/talking-child.ts'

test('two machines share one folder, also when one is killed at any moment', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'img-machines-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const remote = join(folder, 'remote')
  for (const name of ['one', 'two']) {
    mkdirSync(join(folder, name))
    const { privateKey } = generateKeyPairSync('ed25519')
    writeFileSync(join(folder, `${name}.pem`), privateKey.export({ type: 'pkcs8', format: 'pem' }))
  }
  const start = (name: string, other: string, round: number): TalkingChild => {
    const script = new URL('machine.ts', import.meta.url).pathname
    const argv = [join(folder, name, 'cache'), remote, name, other, String(round)]
    return startChild(script, argv, ['unshare', '--map-root-user', '--net', '--uts', '--'])
  }
  const one = start('one', 'two', 0)
  const said: string[] = []
  for (let kills = 0; kills < 8; kills++) {
    const two = start('two', 'one', roundsDone(said))
    await two.says('sent all')
    // Moments of a put, a push, a pull; a round takes some tenths of a second.
    await wait(kills * 83)
    await two.kill()
    said.push(...two.lines)
  }
  const last = start('two', 'one', roundsDone(said))
  await last.says('got one')
  await Promise.all([last.kill(), one.kill()])
  said.push(...last.lines, ...one.lines)

  expect(said.filter((line) => line.startsWith('refused'))).toEqual([])
  const sent = new Map(tellings(said, 'sent'))
  const got = tellings(said, 'got')
  expect(got.length).toBeGreaterThan(1)
  // A machine that was killed had not the time to say what it had sent.
  for (const [what, digest] of got) expect(sent.get(what) ?? digest).toBe(digest)
  const blobs = readdirSync(join(remote, 'blobs'), { recursive: true, withFileTypes: true })
  const wrong = blobs.filter(
    (file) => file.isFile() && digestOf(join(file.parentPath, file.name)) !== file.name,
  )
  expect(wrong.map(({ name }) => name)).toEqual([])
})

/** Of the second machine, whose rounds end with what it gets of the first. */
const roundsDone = (said: readonly string[]): number =>
  said.filter((line) => line.startsWith('got one ')).length

/** Name and round, and the digest that was told of them. */
function tellings(said: readonly string[], verb: string): readonly (readonly [string, string])[] {
  return said.flatMap((line) => {
    const [told, name, round, digest] = line.split(' ')
    return told === verb ? [[`${name} ${round}`, digest!] as const] : []
  })
}

const digestOf = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex')
