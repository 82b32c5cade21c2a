// Signs in a folder that exists in a namespace only, so that neither the copied key nor an agent survives, not even
// kill -9 of us. The user's own folder is only read, and without its agent.

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunContext } from '../../tasks/context.ts'
import { ImgError } from '../../tasks/errors.ts'
import { runProgram } from '../../tasks/run/process.ts'
import type { SigningKey } from './gpg-keys.ts'
import { inFolder } from './in-folder.ts'
import { lastLines } from './run-gpg.ts'

/** The text, clear-signed. */
export const clearSign = (text: string, key: SigningKey, context: RunContext): Promise<string> =>
  sign({ text, how: '--clearsign' }, key, context).then(String)

/** A signature of its own, as a file beside the text has it. */
export const detachSign = (text: string, key: SigningKey, context: RunContext): Promise<Buffer> =>
  sign({ text, how: '--detach-sign' }, key, context)

async function sign(
  { text, how }: { readonly text: string; readonly how: '--clearsign' | '--detach-sign' },
  key: SigningKey,
  context: RunContext,
): Promise<Buffer> {
  return inFolder(async (folder) => {
    await mkdir(join(folder, 'home'), { mode: 0o700 })
    await writeFile(join(folder, 'text'), text)
    await writeFile(join(folder, 'key'), key.bytes)
    const argv = ['/bin/sh', '-ec', signScript, 'sign', how, key.user, ...key.secrets]
    const result = await runProgram(context.uid === 0 ? argv : [...ownNamespaces, ...argv], {
      cwd: folder,
      env: { LC_ALL: 'C.UTF-8', GNUPGHOME: join(folder, 'home') },
      signal: context.signal,
      isolation: context.uid === 0 ? 'namespace' : 'none',
    })
    if (result.exitCode === 0) return readFile(join(folder, 'signed'))
    throw new ImgError('SIGNING_FAILED', `gpg cannot sign with ${key.user}`, {
      hint: 'use a key without passphrase that has not expired, such as `gpg --quick-generate-key` makes one',
      output: lastLines(result.stderr),
    })
  })
}

/**
 * A file system in memory over the folder, seen by nobody else: the copies of the keys and the agent's socket are
 * nowhere else, and go with the last process in here.
 */
const signScript = `
how="$1" user="$2"; shift 2
mount -t tmpfs -o mode=0700,size=16m img-signing "$GNUPGHOME"
mkdir -m 0700 "$GNUPGHOME/private-keys-v1.d"
cp -- "$@" "$GNUPGHOME/private-keys-v1.d/"
gpg --batch --quiet --no-autostart --import key
gpg --batch --quiet --no-tty --pinentry-mode error --trust-model always --digest-algo SHA512 \\
  --local-user "$user" --output signed "$how" text
`

/** What `isolation: namespace` is for root. */
const ownNamespaces: readonly string[] =
  'unshare --user --map-root-user --mount --propagation private --pid --fork --kill-child=KILL --mount-proc --'.split(
    ' ',
  )
