// A program for tests that kill it: publishes contents as the template `a`, one after the other.
// Usage: child.js DIR GNUPGHOME FINGERPRINT CONTENT…

import { resolveSigningKey } from '../../../cache/repository/gpg-keys.ts'
import { publishTemplates } from '../../../cache/repository/publish.ts'
import type { RunContext } from '../../../tasks/context.ts'
import { smallTemplate } from '../../rig/repository.ts'

const [dir = '', home = '', fingerprint = '', ...contents] = process.argv.slice(2)
const context: RunContext = {
  root: dir,
  env: { GNUPGHOME: home },
  cacheDir: dir,
  now: Date.now,
  signal: new AbortController().signal,
  emit: () => undefined,
  uid: process.getuid?.() ?? 0,
  yes: false,
}
const key = await resolveSigningKey(fingerprint, context)
for (const content of contents)
  await publishTemplates([smallTemplate('a', content)], { dir, key, keep: 1, grace: 0 }, context)
