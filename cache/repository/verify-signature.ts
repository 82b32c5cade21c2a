// Only what gpgv says to programs counts, and only the text it hands out.

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ImgError } from '../../tasks/errors.ts'
import { runProgram } from '../../tasks/run/process.ts'
import type { PublicKey } from './gpg-keys.ts'
import { inFolder } from './in-folder.ts'
import { signedPart } from './index-text.ts'
import { isFile, lastLines } from './run-gpg.ts'

/** What the key's owner signed, and nothing but that. Throws SIGNATURE_INVALID; `what` names the file in messages. */
export async function verifyClearSigned(file: string, key: PublicKey, what: string): Promise<string> {
  const part = signedPart(file)
  if (part === undefined) {
    throw new ImgError('SIGNATURE_INVALID', `${what} is not a clear-signed file`, {
      path: what,
      hint: 'nothing of it is used; whoever publishes there must sign it',
    })
  }
  const { text, status, stderr } = await inFolder(async (folder) => {
    await writeFile(join(folder, 'signed'), file)
    await writeFile(join(folder, 'key.gpg'), key.bytes)
    const argv = ['gpgv', '--homedir', folder, '--keyring', join(folder, 'key.gpg'), '--status-fd', '1']
    const result = await runProgram([...argv, '--output', 'text', 'signed'], {
      cwd: folder,
      env: { LC_ALL: 'C' },
    })
    const isWhole = result.exitCode === 0 && (await isFile(join(folder, 'text')))
    const signed = isWhole ? await readFile(join(folder, 'text'), 'utf8') : undefined
    return { text: signed, status: result.stdout, stderr: result.stderr }
  })
  if (text === undefined || !isGood(status, key)) {
    throw new ImgError('SIGNATURE_INVALID', `${what} has no good signature of ${key.fingerprint}`, {
      path: what,
      wanted: key.fingerprint,
      found: /^\[GNUPG:\] (?:VALIDSIG|ERRSIG|BADSIG|NO_PUBKEY) (\S+)/m.exec(status)?.[1] ?? 'no signature',
      hint: 'nothing of it is used; check the fingerprint, and who changed the file',
      output: lastLines(stderr),
    })
  }
  if (normalise(text) !== normalise(part)) {
    throw new ImgError('SIGNATURE_INVALID', `${what} has text beside what is signed`, {
      path: what,
      hint: 'nothing of it is used; check who changed the file',
    })
  }
  return text
}

/** Machine-readable lines only: what people read can be forged by what is signed. */
function isGood(status: string, key: PublicKey): boolean {
  const lines = status.split('\n').filter((line) => line.startsWith('[GNUPG:] '))
  const valid = lines.filter((line) => line.startsWith('[GNUPG:] VALIDSIG '))
  const isOurs = valid.length === 1 && valid[0]!.trimEnd().split(' ').at(-1) === key.fingerprint
  return isOurs && lines.filter((line) => line.startsWith('[GNUPG:] GOODSIG ')).length === 1
}

/** What clear-signing leaves open: white space at the end of lines, and dashes at their beginning. */
const normalise = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.replace(/^- (?=-)/, '').replace(/[ \t\r]+$/, ''))
    .join('\n')
    .replace(/\n*$/, '\n')
