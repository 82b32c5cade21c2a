// Programs that are shell scripts, in a folder in front of the real ones.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { programPath } from '../../tasks/run/process.ts'

/** The folder goes with the test. */
export function fakePrograms(scripts: Readonly<Record<string, string>>): {
  readonly folder: string
  /** For `path` options. */
  readonly path: string
} {
  const folder = mkdtempSync(join(tmpdir(), 'img-fake-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(folder, name), 0o755)
  }
  return { folder, path: `${folder}:${programPath}` }
}
