import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RunContext } from '../../../tasks/context.ts'
import { parseRelease, verifyRelease } from '../../../tasks/run/apt-release.ts'
import { hasGpg, makeFolder, makeSigner, type Signer } from '../../rig/fake-archive.ts'

const digest = (digit: string): string => digit.repeat(64)
const text = [
  'Origin: Debian',
  'Suite: stable',
  'Codename: trixie',
  'Date: Sat, 12 Sep 2026 07:55:41 UTC',
  'Valid-Until: Sat, 19 Sep 2026 07:55:41 UTC',
  'Acquire-By-Hash: yes',
  'Architectures: all amd64',
  'MD5Sum:',
  ` ${'0'.repeat(32)}       12 main/binary-amd64/Packages`,
  'SHA256:',
  ` ${digest('a')} 56620099 main/binary-amd64/Packages`,
  ` ${digest('b')}  9678380 main/binary-amd64/Packages.xz`,
  '',
].join('\n')

test('parseRelease', () => {
  expect(parseRelease(text)).toEqual({
    suite: 'stable',
    codename: 'trixie',
    date: Date.parse('2026-09-12T07:55:41Z'),
    validUntil: Date.parse('2026-09-19T07:55:41Z'),
    byHash: true,
    listsAll: true,
    indexes: new Map([
      ['main/binary-amd64/Packages', { sha256: digest('a'), size: 56_620_099 }],
      ['main/binary-amd64/Packages.xz', { sha256: digest('b'), size: 9_678_380 }],
    ]),
  })
})

test('an archive whose architecture lists repeat those of "all"', () => {
  expect(parseRelease(`No-Support-for-Architecture-all: Packages\n${text}`).listsAll).toBe(false)
  expect(parseRelease(text.replace('all amd64', 'amd64')).listsAll).toBe(false)
})

test.each([
  ['no Date', text.replace(/^Date.*$/m, '')],
  ['a Date that is none', text.replace(/^Date.*$/m, 'Date: yesterday')],
  ['only MD5', text.replace('SHA256:', 'SHA1:')],
  ['nothing', ''],
])('%s', (_, broken) => {
  expect(() => parseRelease(broken)).toThrow('an InRelease file has no Date or no SHA256 section')
})

describe.runIf(hasGpg)('verifyRelease', () => {
  let signer: Signer
  let stranger: Signer
  const context = { signal: new AbortController().signal } as RunContext
  beforeAll(() => {
    signer = makeSigner()
    stranger = makeSigner()
  })
  afterAll(() => {
    signer.remove()
    stranger.remove()
  })
  const verify = (
    bytes: Uint8Array,
    suite = 'trixie',
    keyring = signer.keyring,
  ): ReturnType<typeof verifyRelease> => verifyRelease(bytes, { keyring, suite }, context)
  test('by codename and by suite', async () => {
    expect(await verify(signer.sign(text))).toEqual(parseRelease(text))
    expect(await verify(signer.sign(text), 'stable')).toEqual(parseRelease(text))
  })

  test.each([
    ['another key', () => stranger.sign(text)],
    ['no signature', () => Buffer.from(text)],
    ['a changed text', () => Buffer.from(signer.sign(text).toString().replace('trixie', 'trixif'))],
    ['nothing', () => Buffer.alloc(0)],
    ['a portal page', () => Buffer.from('<html>please log in</html>')],
    ['a cut file', () => signer.sign(text).subarray(0, 400)],
  ])('%s is refused', async (_, bytes) => {
    await expect(verify(bytes())).rejects.toMatchObject(unsigned(signer.keyring))
  })

  test('any key of the keyring will do', async () => {
    const folder = makeFolder()
    const both = join(folder.path, 'both.gpg')
    writeFileSync(both, Buffer.concat([readFileSync(stranger.keyring), readFileSync(signer.keyring)]))
    expect((await verify(signer.sign(text), 'trixie', both)).codename).toBe('trixie')
    folder.remove()
  })

  test('what stands outside the signed part is not read (CVE-2013-1051)', async () => {
    const injected = ['SHA256:', ` ${digest('e')} 1 main/binary-amd64/Packages`, '', ''].join('\n')
    const around = Buffer.from(`${injected}${signer.sign(text).toString()}${injected}`)
    expect(await verify(around)).toEqual(parseRelease(text))
  })

  test("another suite's file, properly signed", async () => {
    await expect(verify(signer.sign(text), 'bookworm')).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: "the mirror gave another suite's InRelease file for bookworm",
      fields: { wanted: 'bookworm', found: 'trixie', hint: 'set IMG_MIRROR to another mirror' },
    })
  })
})

function unsigned(keyring: string): object {
  return {
    code: 'INPUT_INVALID',
    message: `the InRelease file of trixie is not signed by a key of ${keyring}`,
    fields: {
      hint: 'set IMG_KEYRING to the keyring of this archive, or IMG_MIRROR to a mirror that serves what Debian signed',
    },
  }
}
