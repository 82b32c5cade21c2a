// What --json prints is what docs/schema says, and nothing more.

import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { commands } from '../../tasks/commands/index.ts'
import { plainImgfile, testProject, type TestProject } from '../rig/project.ts'
import { expectSchema, schemaNames } from '../rig/schema.ts'

/** `docs/schema/run.json` is what `img show RUN` prints. */
const machines = ['run', 'shell']

const project = (): TestProject => testProject({ 'imgfile.ts': plainImgfile, 'files/a': 'one\n' })

test.each([
  ['plan', ['plan']],
  ['why', ['why', 'base:a']],
  ['ls', ['ls']],
  ['graph', ['graph']],
  ['runs', ['runs']],
  ['completion', ['completion', 'layers']],
  ['completion', ['completion', 'fish']],
  ['update', ['update', '--dry-run']],
  ['init', ['init', 'new']],
  ['cache-stats', ['cache', 'stats']],
  ['cache-verify', ['cache', 'verify', '--read-data']],
  ['cache-repair', ['cache', 'repair']],
  ['cache-gc', ['cache', 'gc', '--dry-run']],
  ['cache-pin', ['cache', 'pin']],
])('%s', async (schema, args) => {
  const { status, stdout, stderr } = await project().img([...args, '--json'])
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expectSchema(schema, JSON.parse(stdout))
})

test('doctor, whatever it finds', async () => {
  const { status, stdout } = await project().img(['doctor', '--json'])
  expect([0, 3]).toContain(status)
  expectSchema('doctor', JSON.parse(stdout))
})

test('keys', async () => {
  const { img } = project()
  const answer = async (...args: string[]): Promise<unknown> => {
    const { status, stdout, stderr } = await img(['keys', ...args, '--json'])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    return JSON.parse(stdout)
  }
  expectSchema('keys-create', await answer('create', 'ci'))
  const { publicKey } = generateKeyPairSync('ed25519')
  const own = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  expectSchema('keys-trust', await answer('trust', 'alice', own))
  expectSchema('keys-list', await answer('list'))
  expectSchema('keys-trust', await answer('revoke', 'ci'))
})

test('every command that prints JSON of its own has a schema', () => {
  const shared: Readonly<Record<string, string>> = {
    show: 'record',
    'cache unpin': 'cache-pin',
    'keys revoke': 'keys-trust',
  }
  const schemas = new Set(schemaNames())
  const own = Object.keys(commands).filter((name) => !machines.includes(name))
  expect(own.filter((name) => !schemas.has(shared[name] ?? name.replace(' ', '-')))).toEqual([])
})

test.each(machines)('%s prints what the machine or shell says, and nothing of its own', (name) => {
  const source = readFileSync(new URL(`../../tasks/commands/${name}.ts`, import.meta.url), 'utf8')
  expect(source).not.toContain('call.print')
})

test('every schema is held against what is really printed', () => {
  const tests = filesBelow(new URL('..', import.meta.url)).map((path) => readFileSync(path, 'utf8'))
  const isUsed = (name: string): boolean =>
    tests.some((text) => text.includes(`expectSchema('${name}'`) || text.includes(`['${name}', ['`))
  expect(schemaNames().filter((name) => !isUsed(name))).toEqual([])
})

test('what happens during a build, and how it ended, line by line', async () => {
  // Nothing here can build: the lines before the error are events.
  const { stdout, stderr } = await project().img(['build', 'base:a', '--json'], { env: { PATH: '/nowhere' } })
  const lines = stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)
  expect(lines.length).toBeGreaterThan(0)
  for (const line of lines) expectSchema('events', line)
  if (stdout !== '') expectSchema('build', JSON.parse(stdout))
})

test('error', async () => {
  const { status, stderr } = await project().img(['plan', 'base:b', '--json'])
  expect(status).toBe(2)
  expectSchema('error', JSON.parse(stderr))
})

test('diff and compare of image files, without root', async () => {
  const { root, img } = project()
  for (const name of ['a', 'b']) {
    const tree = join(root, name)
    for (const folder of ['etc', 'usr']) mkdirSync(join(tree, folder), { recursive: true })
    writeFileSync(join(tree, 'etc/motd'), `${name}\n`)
    writeFileSync(join(tree, 'etc/same'), 'same\n')
    execFileSync('/sbin/mke2fs', ['-q', '-t', 'ext4', '-d', tree, join(root, `${name}.img`), '4M'])
  }
  const diff = await img(['diff', 'a.img', 'b.img', '--json'])
  expect({ status: diff.status, stderr: diff.stderr }).toEqual({ status: 0, stderr: '' })
  expectSchema('diff', JSON.parse(diff.stdout))
  expect(JSON.parse(diff.stdout)).toMatchObject({
    files: [{ path: 'etc/motd', what: ['content'], lines: ['@@ line 1', '-a', '+b'] }],
  })
  const differs = await img(['compare', 'a.img', 'b.img', '--json'])
  expect(differs.status).toBe(1)
  expectSchema('compare', JSON.parse(differs.stdout))
  const same = await img(['compare', 'a.img', 'a.img'])
  expect(same).toEqual({ status: 0, stdout: 'a.img and a.img are the same\n', stderr: '' })
})

const filesBelow = (at: URL): readonly string[] =>
  readdirSync(at, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
