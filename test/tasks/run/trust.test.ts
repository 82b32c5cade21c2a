import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { renderTrustedKeys, type TrustedKey } from '../../../cache/trust/trusted-keys.ts'
import type { RunContext } from '../../../tasks/context.ts'
import type { ImgEvent } from '../../../tasks/events.ts'
import { ownKeyFile, readTrust } from '../../../tasks/run/trust.ts'
import { type SigningKey, signingKey } from '../../rig/entry-keys.ts'
import { testContext } from '../../rig/run-context.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

const ci = signingKey('ci', ['main', 'nightly'])
const alice = signingKey('alice', ['dev/alice'])

function project(
  keys: readonly TrustedKey[] | undefined,
  env: Readonly<Record<string, string>> = {},
): RunContext & { readonly events: ImgEvent[] } {
  const context = testContext({ env: { HOME: tempFolder(), ...env } })
  if (keys !== undefined) writeKeys(context, keys)
  return context
}

const writeKeys = ({ root }: RunContext, keys: readonly TrustedKey[]): void =>
  writeFileSync(join(root, 'keys.json'), renderTrustedKeys({ project: 'project-1', keys }))

const pem = ({ own }: SigningKey): string => own.key.export({ type: 'pkcs8', format: 'pem' }).toString()

const both = [ci.trusted, alice.trusted]
const names = async (context: RunContext): Promise<readonly string[] | undefined> =>
  (await readTrust(context))?.keys.keys.map(({ name }) => name)

describe('whose keys', () => {
  test('without keys.json nobody is believed', async () => {
    expect(await readTrust(project(undefined))).toBeUndefined()
  })

  test('outside git the file of the folder counts', async () => {
    expect(await names(project(both))).toEqual(['ci', 'alice'])
  })

  test('in git that of the main branch counts, whatever the change under build says', async () => {
    const context = project([ci.trusted])
    git(context, 'init', '-q', '-b', 'main')
    git(context, 'add', '.')
    git(context, 'commit', '-qm', 'keys')
    git(context, 'checkout', '-q', '-b', 'change')
    writeKeys(context, both)
    git(context, 'commit', '-qam', 'me too')
    expect(await names(context)).toEqual(['ci'])
    git(context, 'checkout', '-q', 'main')
    git(context, 'merge', '-q', 'change')
    expect(await names(context)).toEqual(['ci', 'alice'])
  })

  test('a file that is on no main branch counts for nothing, and that is said', async () => {
    const context = project(both)
    git(context, 'init', '-q', '-b', 'change')
    expect(await readTrust(context)).toBeUndefined()
    expect(context.events).toEqual([
      {
        event: 'warning',
        text: 'keys.json is not on the main branch, so no remote is believed',
        hint: 'commit it there, or name the trusted fingerprints in IMG_TRUST',
      },
    ])
    const pinned = { ...context, env: { ...context.env, IMG_TRUST: `sha256:${ci.own.id}` } }
    expect(await names(pinned)).toEqual(['ci'])
  })

  test('a fingerprint that is none is an error', async () => {
    await expect(readTrust(project(both, { IMG_TRUST: 'ci' }))).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: 'IMG_TRUST has "ci", which is no fingerprint',
    })
  })
})

describe('as whom', () => {
  test.each<[string, SigningKey | undefined, Record<string, string>, string | undefined, string[]]>([
    ['nobody without a key', undefined, {}, undefined, ['main']],
    ['a developer in the own namespace', alice, {}, 'dev/alice', ['main', 'dev/alice']],
    ['the key of CI on a laptop not in main', ci, {}, 'nightly', ['main', 'nightly']],
    ['the key of CI where CI is', ci, { CI: 'true' }, 'main', ['main']],
    ['where it was asked for', ci, { IMG_NAMESPACE: 'main' }, 'main', ['main']],
    ['a key nobody trusts as nobody', signingKey('x', ['main']), { CI: '1' }, undefined, ['main']],
  ])('%s', async (...[, key, env, namespace, reads]) => {
    const context = project(both, { ...env, ...(key === undefined ? {} : { IMG_SIGNING_KEY: pem(key) }) })
    const trust = await readTrust(context)
    expect(trust?.writes?.namespace).toBe(namespace)
    expect(trust?.reads).toEqual(reads)
  })

  test('a revoked or ended key writes nothing', async () => {
    const env = { IMG_SIGNING_KEY: pem(alice) }
    for (const over of [{ revoked: true }, { notAfter: -1 }]) {
      expect((await readTrust(project([{ ...alice.trusted, ...over }], env)))?.writes).toBeUndefined()
    }
  })

  test('the key is a text, a file, or where it was made', async () => {
    const file = join(tempFolder({ 'key.pem': pem(alice) }), 'key.pem')
    const fromFile = await readTrust(project(both, { IMG_SIGNING_KEY: file }))
    expect(fromFile?.writes?.key.id).toBe(alice.own.id)
    const context = project(both)
    const kept = ownKeyFile(context, 'project-1')
    mkdirSync(dirname(kept), { recursive: true })
    writeFileSync(kept, pem(alice))
    expect((await readTrust(context))?.writes?.key.id).toBe(alice.own.id)
  })

  test.each([
    [
      { IMG_SIGNING_KEY: '/nowhere/key.pem' },
      'INPUT_MISSING',
      'cannot read the signing key /nowhere/key.pem',
    ],
    [
      { IMG_SIGNING_KEY: '-----BEGIN PRIVATE KEY-----\nx\n' },
      'INPUT_INVALID',
      'IMG_SIGNING_KEY is no ed25519 private key',
    ],
    [
      { IMG_SIGNING_KEY: pem(alice), IMG_NAMESPACE: 'main' },
      'OPTION_INVALID',
      'cannot write to main: the key alice may not write main',
    ],
  ])('%j cannot be', async (env, code, message) => {
    await expect(readTrust(project(both, env))).rejects.toMatchObject({ code, message })
  })
})

function git({ root }: RunContext, ...args: readonly string[]): void {
  const identity = ['-c', 'user.name=a', '-c', 'user.email=a@example.org']
  execFileSync('git', ['-C', root, ...identity, ...args], { stdio: 'pipe' })
}
