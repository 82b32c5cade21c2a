// Secrets of a chroot step, in real namespaces: who sees them, where, and for how long.

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { withSecrets } from '../../../tasks/backends/chroot-secrets.ts'
import type { Build } from '../../../tasks/backends/namespace-build.ts'
import { openNamespace } from '../../../tasks/backends/namespace-session.ts'
import { testContext } from '../../rig/run-context.ts'
import { canRun } from './bench.ts'

const value = 'IMGCANARY-6f1e\nsecond line\n'

async function openBuild(): Promise<Build> {
  const context = testContext()
  const image = join(context.root, 'image')
  mkdirSync(image)
  const log = join(context.root, 'log')
  writeFileSync(log, '')
  const session = await openNamespace({
    directory: join(context.root, 'session'),
    userNamespace: false,
    signal: context.signal,
    log,
  })
  onTestFinished(() => session.close())
  const secrets = { '0.secret token': { name: 'token', read: async () => Buffer.from(value) } }
  const work = { layer: 'role:web', secrets, log, directory: context.root }
  return { work, context, session, folders: { image }, epoch: 0, cut: 0 } as unknown as Build
}

describe.runIf(canRun)('a secret of a chroot step', () => {
  test('is a file only root reads, in memory, while the step runs', async () => {
    const build = await openBuild()
    const folder = join(build.folders.image, 'run/img/secrets')
    const ask = async (script: string): Promise<string> =>
      (await build.session.run(['sh', '-c', script, 'sh', folder], { quiet: true })).stdout
    let seen = ''
    let outside: readonly string[] = []
    await withSecrets(build, ['0.secret token'], async () => {
      seen = await ask('stat -c "%a %u" "$1" "$1/token"; stat -f -c %T "$1"; cat "$1/token"')
      outside = readdirSync(folder)
    })
    expect(seen).toBe(`700 0\n400 0\ntmpfs\n${value}`)
    // Whoever is not in the build's namespaces sees an empty folder.
    expect(outside).toEqual([])
    expect(await ask('ls -A "$1"')).toBe('')
  })

  test('is gone when the step fails', async () => {
    const build = await openBuild()
    const fails = withSecrets(build, ['0.secret token'], () => Promise.reject(new Error('the step failed')))
    await expect(fails).rejects.toThrow('the step failed')
    const { stdout } = await build.session.run(['ls', '-A', join(build.folders.image, 'run/img/secrets')])
    expect(stdout).toBe('')
  })

  test('is in no command line', async () => {
    const build = await openBuild()
    const seen: (readonly string[])[] = []
    const session: Build['session'] = {
      ...build.session,
      run: (argv, command) => {
        seen.push(argv)
        return build.session.run(argv, command)
      },
    }
    await withSecrets({ ...build, session }, ['0.secret token'], async () => undefined)
    expect(seen.length).toBeGreaterThan(2)
    expect(JSON.stringify(seen)).not.toContain('IMGCANARY')
  })
})
