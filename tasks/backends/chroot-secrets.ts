// Secrets of a chroot step: files on a tmpfs of the step's own, gone when it ends.

import path from 'node:path'
import { secretsFolder } from '../plan/secret.ts'
import type { Work } from './backend.ts'
import { runOnHost, type Build } from './namespace-build.ts'

export async function withSecrets(
  build: Build,
  names: readonly string[] = [],
  run: () => Promise<void>,
): Promise<void> {
  if (names.length === 0) return run()
  const folder = path.join(build.folders.image, secretsFolder)
  const mount = 'mkdir -p "$1" && mount -t tmpfs -o mode=0700,nosuid,nodev,noexec tmpfs "$1"'
  await runOnHost(build, ['sh', '-euc', mount, 'sh', folder], {
    what: 'making room for secrets',
    quiet: true,
  })
  try {
    for (const { name, value } of await readSecrets(build.work, names)) {
      const write = ['sh', '-euc', 'umask 0377; cat >"$1"', 'sh', path.join(folder, name)]
      await runOnHost(build, write, { input: value, what: `handing over the secret ${name}`, quiet: true })
    }
    await run()
  } finally {
    // Not checked: it goes with the namespace at the latest, and must not hide why a step failed.
    await build.session.run(['umount', '--lazy', folder], { quiet: true })
  }
}

/** The values, by file name, of the inputs a step names. */
export async function readSecrets(
  { secrets = {} }: Pick<Work, 'secrets'>,
  names: readonly string[] = [],
): Promise<readonly { readonly name: string; readonly value: Uint8Array }[]> {
  const found: { readonly name: string; readonly value: Uint8Array }[] = []
  for (const name of names) {
    const secret = secrets[name]
    if (secret === undefined) throw new Error(`no secret was given for the input ${name}`)
    found.push({ name: secret.name, value: await secret.read() })
  }
  return found
}
