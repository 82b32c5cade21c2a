// A key of gpg without passphrase, in a folder of its own.

import { spawnSync } from 'node:child_process'
import { onTestFinished } from 'vitest'
import { tempFolder } from './temp-folder.ts'

export interface TestKey {
  /** For GNUPGHOME. */
  readonly home: string
  readonly fingerprint: string
  readonly gpg: (...args: readonly string[]) => string
}

export function makeSigningKey(name = 'Test Publisher <publisher@example.org>'): TestKey {
  const home = tempFolder()
  const run = (program: string, args: readonly string[]): string => {
    const { status, stdout, stderr } = spawnSync(program, ['--homedir', home, ...args], { encoding: 'utf8' })
    if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`)
    return stdout
  }
  onTestFinished(() => void run('gpgconf', ['--kill', 'all']))
  const gpg = (...args: readonly string[]): string => run('gpg', ['--batch', '--quiet', ...args])
  gpg('--passphrase', '', '--quick-generate-key', name, 'ed25519', 'sign', 'never')
  // What our own signing must never need.
  run('gpgconf', ['--kill', 'all'])
  const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(gpg('--with-colons', '--list-keys'))?.[1]
  if (fingerprint === undefined) throw new Error('gpg made no key')
  return { home, fingerprint, gpg }
}
