// A small Debian archive, signed with a key of its own: suites, package lists, package files.

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { debianArchitecture } from '../../tasks/run/apt-indexes.ts'

export const hasGpg: boolean = existsSync('/usr/bin/gpg') && existsSync('/usr/bin/gpgv')

export interface Signer {
  /** Binary and armoured public keyring. */
  readonly keyring: string
  readonly armoured: string
  sign(text: string): Buffer
  remove(): void
}

/** A throw-away key in a GNUPGHOME of its own; `remove` also ends its agent. */
export function makeSigner(): Signer {
  const home = mkdtempSync(join(tmpdir(), 'img-gpg-'))
  const env = { PATH: '/usr/bin:/bin', GNUPGHOME: home, LC_ALL: 'C' }
  const gpg = (args: readonly string[], input = ''): Buffer =>
    execFileSync('gpg', ['--batch', '--quiet', ...args], { env, input, stdio: ['pipe', 'pipe', 'ignore'] })
  gpg([
    '--passphrase',
    '',
    '--quick-generate-key',
    'archive <archive@mirror.example.org>',
    'ed25519',
    'sign',
    'never',
  ])
  const [keyring, armoured] = [join(home, 'archive.gpg'), join(home, 'archive.asc')]
  gpg(['--output', keyring, '--export'])
  gpg(['--output', armoured, '--armor', '--export'])
  return {
    keyring,
    armoured,
    sign: (text) => gpg(['--clearsign', '--output', '-'], text),
    remove() {
      execFileSync('gpgconf', ['--kill', 'gpg-agent'], { env })
      rmSync(home, { recursive: true, force: true })
    },
  }
}

export interface SuiteContent {
  readonly suite: string
  /** As in Release files: `Sat, 12 Sep 2026 07:55:41 UTC`. */
  readonly date: string
  /** Content of each package file by name_version. */
  readonly packages: Readonly<Record<string, string>>
  readonly fields?: Readonly<Record<string, string>>
  readonly byHash?: boolean
  /** Of the network installer. */
  readonly installer?: { readonly kernel: string; readonly initrd: string }
}

/** Files by path below the archive's base URL. */
export function makeSuite(signer: Signer, content: SuiteContent): ReadonlyMap<string, Buffer> {
  const { suite, date, packages, fields = {}, byHash = true } = content
  const files = new Map<string, Buffer>()
  const paragraphs = Object.entries(packages).map(([id, text]) => {
    const [name = id, version = '1'] = id.split('_')
    const bytes = Buffer.from(text)
    const file = packageFile(id)
    files.set(file, bytes)
    return `Package: ${name}\nArchitecture: ${debianArchitecture()}\nVersion: ${version}\nFilename: ${file}\nSize: ${bytes.length}\nSHA256: ${sha256(bytes)}\n`
  })
  const index = `main/binary-${debianArchitecture()}`
  const plain = Buffer.from(paragraphs.join('\n'))
  const lists = { [`${index}/Packages`]: plain, [`${index}/Packages.gz`]: gzipSync(plain) }
  const entries = Object.entries(lists).map(([path, bytes]) => ` ${sha256(bytes)} ${bytes.length} ${path}`)
  for (const [path, bytes] of Object.entries(lists)) {
    if (!path.endsWith('.gz')) continue
    files.set(`dists/${suite}/${path}`, bytes)
    if (byHash) files.set(`dists/${suite}/${index}/by-hash/SHA256/${sha256(bytes)}`, bytes)
  }
  if (content.installer !== undefined) {
    const images = `main/installer-${debianArchitecture()}/current/images`
    const folder = `netboot/debian-installer/${debianArchitecture()}`
    const own = { linux: content.installer.kernel, 'initrd.gz': content.installer.initrd }
    const sums = Object.entries(own).map(
      ([name, text]) => `${sha256(Buffer.from(text))}  ./${folder}/${name}\n`,
    )
    const list = Buffer.from(sums.join(''))
    entries.push(` ${sha256(list)} ${list.length} ${images}/SHA256SUMS`)
    files.set(`dists/${suite}/${images}/SHA256SUMS`, list)
    for (const [name, text] of Object.entries(own))
      files.set(`dists/${suite}/${images}/${folder}/${name}`, Buffer.from(text))
  }
  const lines = {
    Origin: 'Debian',
    Suite: suite,
    Codename: suite,
    Date: date,
    ...(byHash ? { 'Acquire-By-Hash': 'yes' } : {}),
    Architectures: debianArchitecture(),
    ...fields,
  }
  const head = Object.entries(lines).map(([name, value]) => `${name}: ${value}`)
  files.set(`dists/${suite}/InRelease`, signer.sign([...head, 'SHA256:', ...entries, ''].join('\n')))
  return files
}

/** `hello_1.0` is kept under pool/main/h/hello. */
export function packageFile(id: string): string {
  const name = id.split('_')[0] ?? id
  return `pool/main/${name.charAt(0)}/${name}/${id}_${debianArchitecture()}.deb`
}

export function makeFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'img-test-'))
  mkdirSync(join(path, 'project'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}
