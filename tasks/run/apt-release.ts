// An InRelease file: the signed list of a suite's indexes. Nothing of it is believed before gpgv has said who signed.

import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import { runProgram } from './process.ts'

export interface Release {
  readonly suite: string
  readonly codename: string
  /** Milliseconds since 1970. */
  readonly date: number
  readonly validUntil: number | undefined
  /** Whether indexes are also reachable under their digest. */
  readonly byHash: boolean
  /** Whether apt reads `binary-all` lists of it beside those of the machine's architecture. */
  readonly listsAll: boolean
  /** By path below the suite, `main/binary-amd64/Packages.gz`. */
  readonly indexes: ReadonlyMap<string, { readonly sha256: string; readonly size: number }>
}

/** Only the text gpgv gives back is parsed: what stands beside the signed part is anybody's. */
export async function verifyRelease(
  bytes: Uint8Array,
  { keyring, suite }: { readonly keyring: string; readonly suite: string },
  context: RunContext,
): Promise<Release> {
  const result = await runProgram(['gpgv', '--status-fd', '2', '--output', '-', '--keyring', keyring, '-'], {
    input: bytes,
    env: { LC_ALL: 'C.UTF-8', HOME: '/nonexistent' },
    signal: context.signal,
    timeoutMs: 60_000,
  })
  if (result.exitCode === 127) {
    throw new ImgError('TOOL_MISSING', 'gpgv is missing; InRelease files cannot be verified without it', {
      hint: 'run `apt-get install gpgv`',
    })
  }
  const status = result.stderr.match(/(?<=^\[GNUPG:\] ).*/gm) ?? []
  // A keyring older than the newest signing key still knows one of the others, so one good signature is enough.
  const good = status.some((line) => line.startsWith('VALIDSIG ')) && !status.some(refuted)
  if (!good) {
    throw new ImgError(
      'INPUT_INVALID',
      `the InRelease file of ${suite} is not signed by a key of ${keyring}`,
      {
        hint: 'set IMG_KEYRING to the keyring of this archive, or IMG_MIRROR to a mirror that serves what Debian signed',
        output: status.filter((line) => /SIG|PUBKEY|NODATA/.test(line)).join('\n'),
      },
    )
  }
  const release = parseRelease(result.stdout)
  if (release.suite !== suite && release.codename !== suite) {
    throw new ImgError('INPUT_INVALID', `the mirror gave another suite's InRelease file for ${suite}`, {
      wanted: suite,
      found: release.codename,
      hint: 'set IMG_MIRROR to another mirror',
    })
  }
  return release
}

function refuted(status: string): boolean {
  return /^(BADSIG|EXPKEYSIG|REVKEYSIG) /.test(status)
}

/** Pure. */
export function parseRelease(text: string): Release {
  const fields = new Map<string, string>()
  const indexes = new Map<string, { sha256: string; size: number }>()
  let section = ''
  for (const line of text.split('\n')) {
    const field = /^([A-Za-z0-9-]+):\s*(.*)$/.exec(line)
    if (field !== null) {
      section = field[1] ?? ''
      fields.set(section, (field[2] ?? '').trim())
      continue
    }
    const entry = section === 'SHA256' ? /^\s+([0-9a-f]{64})\s+(\d+)\s+(\S+)\s*$/.exec(line) : null
    if (entry !== null) indexes.set(entry[3] ?? '', { sha256: entry[1] ?? '', size: Number(entry[2]) })
  }
  const time = (name: string): number | undefined => {
    const value = Date.parse(fields.get(name) ?? '')
    return Number.isNaN(value) ? undefined : value
  }
  const date = time('Date')
  if (date === undefined || indexes.size === 0) {
    throw new ImgError('INPUT_INVALID', 'an InRelease file has no Date or no SHA256 section', {
      found: text.slice(0, 200),
    })
  }
  return {
    suite: fields.get('Suite') ?? '',
    codename: fields.get('Codename') ?? '',
    date,
    validUntil: time('Valid-Until'),
    byHash: fields.get('Acquire-By-Hash') === 'yes',
    listsAll:
      (fields.get('Architectures') ?? '').split(' ').includes('all') &&
      fields.get('No-Support-for-Architecture-all') !== 'Packages',
    indexes,
  }
}
