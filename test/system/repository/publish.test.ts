import { spawn } from 'node:child_process'
import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { resolveSigningKey, type SigningKey } from '../../../cache/repository/gpg-keys.ts'
import { publishTemplates } from '../../../cache/repository/publish.ts'
import { readWhole, smallTemplate } from '../../rig/repository.ts'
import { testContext } from '../../rig/run-context.ts'
import { makeSigningKey, type TestKey } from '../../rig/signing-key.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

const program = fileURLToPath(new URL('../../../dist/test/system/repository/child.js', import.meta.url))

const run = (argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<number | string> =>
  new Promise((resolve, reject) => {
    const child = spawn(argv[0]!, argv.slice(1), { env: { ...process.env, ...env }, stdio: 'ignore' })
    child.on('error', reject).on('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'))
  })

const publishing = (dir: string, own: TestKey, contents: readonly string[]): readonly string[] => [
  process.execPath,
  program,
  dir,
  own.home,
  own.fingerprint,
  ...contents,
]

/** All names of the repository, ours included. */
const names = (dir: string): string[] =>
  readdirSync(dir, { recursive: true })
    .map(String)
    .filter((name) => !name.endsWith('.lock'))
    .toSorted()

async function signer(): Promise<{ readonly own: TestKey; readonly key: SigningKey }> {
  const own = makeSigningKey()
  return { own, key: await resolveSigningKey(own.fingerprint, testContext({ env: { GNUPGHOME: own.home } })) }
}

test('killed at every change it makes to the disk, it leaves the old repository or the new one', async () => {
  const { own, key } = await signer()
  const context = testContext({ env: { GNUPGHOME: own.home }, now: Date.now })
  const folder = tempFolder()
  const [start, undisturbed] = [join(folder, 'start'), join(folder, 'undisturbed')]
  expect(await run(publishing(start, own, ['1', '2']))).toBe(0)
  cpSync(start, undisturbed, { recursive: true })
  expect(await run(publishing(undisturbed, own, ['3']))).toBe(0)

  const seen = { old: 0, new: 0 }
  // strace counts each kind of call of each thread by itself; with one thread all of Node's are counted together.
  for (const call of ['rename', 'fsync', 'unlink', 'mkdir']) {
    for (let at = 1, status: number | string = ''; status !== 0; at++) {
      const dir = join(folder, `${call}-${at}`)
      cpSync(start, dir, { recursive: true })
      const inject = ['-e', `trace=${call}`, '-e', `inject=${call}:signal=KILL:when=${at}`]
      const argv = ['strace', '-f', '-qqq', '-o', '/dev/null', ...inject, ...publishing(dir, own, ['3'])]
      // What it leaves as temporary files when it is killed goes with the test's.
      status = await run(argv, { UV_THREADPOOL_SIZE: '1', TMPDIR: folder })
      const [entry] = await readWhole(dir, key)
      const state = entry!.revision === 3 ? 'new' : 'old'
      seen[state]++
      expect(readFileSync(join(dir, entry!.file), 'utf8')).toBe(state === 'new' ? '3' : '2')
      // The next run needs no hand, ends at the same files, and has no more to remove.
      for (const _ of [1, 2])
        await publishTemplates([smallTemplate('a', '3')], { dir, key, keep: 1, grace: 0 }, context)
      expect(names(dir)).toEqual(names(undisturbed))
      expect((await readWhole(dir, key))[0]).toEqual((await readWhole(undisturbed, key))[0])
    }
  }
  expect(seen.old).toBeGreaterThan(25)
  expect(seen.new).toBeGreaterThan(8)
})

test('a reader never sees a broken repository while two publish a hundred times', async () => {
  const { own, key } = await signer()
  const dir = join(tempFolder(), 'repository')
  const context = testContext({ env: { GNUPGHOME: own.home } })
  await publishTemplates([smallTemplate('a', 'first')], { dir, key }, context)
  const publishers = ['one', 'two'].map(async (who) => {
    for (let count = 0; count < 50; count++)
      await publishTemplates([smallTemplate('a', `${who} ${count}`)], { dir, key }, context)
  })
  const over = Promise.all(publishers).then(() => 'over')
  let [reads, revision] = [0, 0]
  while ((await Promise.race([over, Promise.resolve('running')])) === 'running') {
    const [entry] = await readWhole(dir, key)
    expect(entry!.revision).toBeGreaterThanOrEqual(revision)
    revision = entry!.revision
    reads++
  }
  // Every one of them counted: none overwrote another's.
  expect((await readWhole(dir, key))[0]!.revision).toBe(101)
  expect(reads).toBeGreaterThan(50)
})
