// virt-builder with the configuration `img publish --conf` writes: what it lists, and everything it must refuse.

import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compressXz } from '../../../cache/compress-xz.ts'
import { resolveSigningKey } from '../../../cache/repository/gpg-keys.ts'
import { publishTemplates } from '../../../cache/repository/publish.ts'
import { renderClientConf } from '../../../cache/repository/client-conf.ts'
import { findProgram } from '../../../tasks/run/find-program.ts'
import { makeMemory } from '../../rig/memory.ts'
import { testContext } from '../../rig/run-context.ts'
import { makeSigningKey } from '../../rig/signing-key.ts'

interface Client {
  readonly dir: string
  /** Where the client has the key. */
  readonly keyFile: string
  readonly run: (...args: readonly string[]) => Ended
}

interface Ended {
  readonly status: number | null
  readonly stdout: string
  /** Of both streams. */
  readonly output: string
}

/** A published disk of zeros with a few bytes, and a client that knows nothing but our configuration. */
async function client(): Promise<Client> {
  const own = makeSigningKey()
  const context = testContext({ env: { GNUPGHOME: own.home } })
  const key = await resolveSigningKey(own.fingerprint, context)
  const [disk, dir, home] = ['disk.raw', 'images', 'home'].map((name) => join(context.root, name)) as [
    string,
    string,
    string,
  ]
  writeFileSync(disk, 'not much of a disk')
  truncateSync(disk, 64 * 1024 * 1024)
  const made = await compressXz(disk, join(context.root, 'disk.xz'), { memory: makeMemory() })
  const entry = {
    id: 'empty',
    name: 'A disk without a system',
    osinfo: 'debian13',
    arch: 'x86_64',
    sha512: made.sha512,
    format: 'raw' as const,
    size: made.size,
    compressedSize: made.compressedSize,
    expand: '/dev/sda1',
    notes: { '': 'one\ntwo', no: 'en\nto' },
    aliases: ['nothing'],
    hidden: false,
  }
  const write = (to: string): Promise<void> => Promise.resolve(cpSync(join(context.root, 'disk.xz'), to))
  await publishTemplates(
    [
      { entry, write },
      { entry: { ...entry, id: 'unseen', aliases: [], hidden: true }, write },
    ],
    { dir, key },
    context,
  )
  const keyFile = join(context.root, 'images.gpg')
  writeFileSync(keyFile, key.bytes)
  const sources = join(home, 'virt-builder/repos.d')
  mkdirSync(sources, { recursive: true })
  const uri = `file://${join(dir, 'index.asc')}`
  writeFileSync(join(sources, 'images.conf'), renderClientConf({ name: 'images', uri, keyFile }))
  const env = {
    PATH: process.env['PATH'],
    HOME: home,
    XDG_CONFIG_HOME: home,
    VIRT_BUILDER_DIRS: home,
    LC_ALL: 'C',
    LIBGUESTFS_BACKEND: 'direct',
    LIBGUESTFS_BACKEND_SETTINGS: 'force_tcg',
  }
  const run = (...args: readonly string[]): Ended => {
    const { status, stdout, stderr } = spawnSync('virt-builder', args, { env, encoding: 'utf8' })
    return { status, stdout, output: stdout + stderr }
  }
  return { dir, keyFile, run }
}

const newDisk = (own: Client): readonly string[] => ['--output', join(own.dir, '..', 'new.img')]

describe.runIf(findProgram('virt-builder') !== undefined)('virt-builder', () => {
  test('lists what is published, and says all of it', async () => {
    const own = await client()
    expect(own.run('--list')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^empty +x86_64 +A disk without a system\n$/),
    })
    const { stdout } = own.run('--list', '--list-format', 'long')
    expect(stdout).toContain('Source URI: file://')
    expect(stdout).toMatch(/os-version: +empty\n[^]*Full name: +A disk without a system\n/)
    expect(stdout).toMatch(/Aliases: +nothing\n/)
    expect(stdout).toContain('Notes:\n\none\ntwo')
    const { templates } = JSON.parse(own.run('--list', '--list-format', 'json').stdout) as {
      readonly templates: readonly object[]
    }
    expect(templates).toMatchObject([
      { 'os-version': 'empty', arch: 'x86_64', size: 64 * 1024 * 1024, aliases: ['nothing'], hidden: false },
      { 'os-version': 'unseen', hidden: true },
    ])
    expect(spawnSync('virt-index-validate', [join(own.dir, 'index.asc')]).status).toBe(0)
  })

  test('takes a good template as far as its disk goes', async () => {
    const own = await client()
    // There is no system on it, so this is the end of the way; signature and checksum lie behind.
    expect(own.run('nothing', ...newDisk(own)).output).toMatch(
      /[Uu]ncompressing[^]*no guest operating systems /,
    )
  }, 600_000)

  test('refuses a tampered index, a missing signature and a wrong key', async () => {
    const own = await client()
    const index = join(own.dir, 'index.asc')
    const signed = readFileSync(index, 'utf8')
    const refused = (reason: RegExp): void => {
      for (const args of [['--list'], ['empty', ...newDisk(own)]])
        expect(own.run(...args)).toMatchObject({ status: 1, output: expect.stringMatching(reason) })
    }
    writeFileSync(index, signed.replace('size=67108864', 'size=67108865'))
    refused(/BAD signature|GPG failure/)
    writeFileSync(index, signed.slice(signed.indexOf('['), signed.indexOf('-----BEGIN PGP SIGNATURE')))
    refused(/GPG failure/)
    writeFileSync(index, signed)
    const other = makeSigningKey('Somebody Else')
    other.gpg('--yes', '--output', own.keyFile, '--export', other.fingerprint)
    refused(/GPG failure/)
  })

  test('refuses a tampered template', async () => {
    const own = await client()
    for (const name of readdirSync(own.dir).filter((file) => file.endsWith('.xz'))) {
      const bytes = readFileSync(join(own.dir, name))
      bytes[1000] = bytes[1000]! ^ 1
      writeFileSync(join(own.dir, name), bytes)
    }
    expect(own.run('empty', ...newDisk(own))).toMatchObject({
      status: 1,
      output: expect.stringMatching(/checksum/),
    })
  })
})
