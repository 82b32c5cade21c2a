import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { clearSign } from '../../../cache/repository/sign.ts'
import { resolveSigningKey, type SigningKey } from '../../../cache/repository/gpg-keys.ts'
import { publishTemplates, type Published } from '../../../cache/repository/publish.ts'
import type { RunContext } from '../../../tasks/context.ts'
import { readWhole, smallTemplate } from '../../rig/repository.ts'
import { testContext } from '../../rig/run-context.ts'
import { makeSigningKey } from '../../rig/signing-key.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

interface Place {
  readonly dir: string
  readonly key: SigningKey
  readonly context: RunContext
}

async function place(): Promise<Place> {
  const own = makeSigningKey()
  const context = testContext({ env: { GNUPGHOME: own.home } })
  return {
    dir: join(tempFolder(), 'repository'),
    key: await resolveSigningKey(own.fingerprint, context),
    context,
  }
}

const files = (dir: string): string[] => readdirSync(dir).filter((name) => name.endsWith('.xz'))
const statuses = ({ templates }: Published): string[] =>
  templates.map(({ id, revision, status }) => `${id} ${revision} ${status}`)

test('a revision grows when the bytes change, and only then', async () => {
  const { dir, key, context } = await place()
  const publish = async (...templates: Parameters<typeof publishTemplates>[0]): Promise<string[]> =>
    statuses(await publishTemplates(templates, { dir, key }, context))
  expect(await publish(smallTemplate('a', 'one'), smallTemplate('b', 'b'))).toEqual(['a 1 new', 'b 1 new'])
  const first = readFileSync(join(dir, 'index.asc'), 'utf8')
  expect(await publish(smallTemplate('a', 'one'))).toEqual(['a 1 unchanged'])
  expect(readFileSync(join(dir, 'index.asc'), 'utf8')).toBe(first)
  expect(await publish(smallTemplate('a', 'one', { notes: { '': 'hello' } }))).toEqual(['a 1 described'])
  expect(await publish(smallTemplate('a', 'two'))).toEqual(['a 2 changed'])
  expect(await publish(smallTemplate('a', 'one', { arch: 'aarch64' }))).toEqual(['a 1 new'])
  const entries = await readWhole(dir, key)
  expect(entries.map(({ id, arch, revision }) => [id, arch, revision])).toEqual([
    ['a', 'x86_64', 2],
    ['b', 'x86_64', 1],
    ['a', 'aarch64', 1],
  ])
  expect(entries[0]!.file).toBe(`a-${entries[0]!.sha512.slice(0, 12)}.xz`)
  expect(readFileSync(join(dir, 'index.gpg')).equals(key.bytes)).toBe(true)
})

test("others' templates and fields stay; what nobody signed is not merged", async () => {
  const { dir, key, context } = await place()
  await publishTemplates([smallTemplate('a', 'one')], { dir, key }, context)
  writeFileSync(join(dir, 'theirs.xz'), 'theirs')
  const own = readFileSync(join(dir, 'index.asc'), 'utf8').split('\n\n')[1]!.split('-----')[0]!
  const theirs = `[theirs]\narch=x86_64\nfile=theirs.xz\nchecksum=${'a'.repeat(128)}\nsize=5\ncolour=blue\n`
  writeFileSync(join(dir, 'index.asc'), await clearSign(`${theirs}\n${own}`, key, context))
  await publishTemplates([smallTemplate('a', 'two')], { dir, key }, context)
  expect(readFileSync(join(dir, 'index.asc'), 'utf8')).toContain(theirs)

  const signed = readFileSync(join(dir, 'index.asc'), 'utf8')
  writeFileSync(join(dir, 'index.asc'), signed.replace('colour=blue', 'colour=reds'))
  const before = files(dir)
  await expect(publishTemplates([smallTemplate('a', 'three')], { dir, key }, context)).rejects.toMatchObject({
    code: 'SIGNATURE_INVALID',
    message: `${join(dir, 'index.asc')} has no good signature of ${key.fingerprint}`,
  })
  rmSync(join(dir, 'index.asc'))
  writeFileSync(join(dir, 'index'), theirs)
  await expect(publishTemplates([smallTemplate('a', 'three')], { dir, key }, context)).rejects.toMatchObject({
    code: 'REPOSITORY_INVALID',
    message: `${dir} has an index that is not signed`,
    fields: {
      path: join(dir, 'index'),
      hint: 'check it and sign it with `gpg --clearsign index`, or move it away to start anew',
    },
  })
  expect(files(dir)).toEqual(before)
})

test('a repository that would be wrong is not published', async () => {
  const { dir, key, context } = await place()
  await publishTemplates([smallTemplate('a', 'one')], { dir, key }, context)
  const before = await readWhole(dir, key)
  const refused = async (template: ReturnType<typeof smallTemplate>, error: object): Promise<void> => {
    await expect(publishTemplates([template], { dir, key }, context)).rejects.toMatchObject(error)
    expect(await readWhole(dir, key)).toEqual(before)
  }
  await refused(smallTemplate('b', 'b', { aliases: ['a'] }), {
    code: 'REPOSITORY_INVALID',
    message: `the index of ${dir} would be wrong: the alias a of b hides the template a`,
    fields: { hint: 'nothing was published; correct the options of the template, or the index' },
  })
  await refused(smallTemplate('b', 'b', { name: 'ends in a space ' }), {
    code: 'REPOSITORY_INVALID',
    message: `the index of ${dir} would be wrong: "name=ends in a space " ends in white space`,
  })
  const { sha512 } = smallTemplate('b', 'c').entry
  await refused(smallTemplate('b', 'b', { sha512 }), {
    code: 'CACHE_DAMAGED',
    message: 'the file of b is not what was made: its checksum differs',
    fields: {
      hint: 'nothing was published; `img cache verify --read-data` looks for damage',
      wanted: sha512,
    },
  })
})

test('the same bytes that somebody else published in a folder become ours, beside theirs', async () => {
  const { dir, key, context } = await place()
  const own = smallTemplate('a', 'one')
  mkdirSync(join(dir, 'theirs'), { recursive: true })
  writeFileSync(join(dir, 'theirs/a.xz'), 'one')
  const index = `[a]\narch=x86_64\nfile=theirs/a.xz\nchecksum=${own.entry.sha512}\nrevision=7\nsize=1048576\n`
  writeFileSync(join(dir, 'index.asc'), await clearSign(index, key, context))
  const publish = async (): Promise<string[]> =>
    statuses(await publishTemplates([own], { dir, key }, context))
  expect([await publish(), await publish()]).toEqual([['a 7 described'], ['a 7 unchanged']])
  expect(files(dir)).toEqual([`a-${own.entry.sha512.slice(0, 12)}.xz`])
  expect(existsSync(join(dir, 'theirs/a.xz'))).toBe(true)
})

test('a file that is gone or cut is seen before anything is signed, and published again', async () => {
  const { dir, key, context } = await place()
  await publishTemplates([smallTemplate('a', 'one'), smallTemplate('b', 'b')], { dir, key }, context)
  const [a] = await readWhole(dir, key)
  writeFileSync(join(dir, a!.file), 'on')
  await expect(publishTemplates([smallTemplate('b', 'c')], { dir, key }, context)).rejects.toMatchObject({
    code: 'REPOSITORY_INVALID',
    message: `${a!.file} of a has 2 bytes instead of 3 in ${dir}`,
    fields: { hint: 'put the file back, or publish a again' },
  })
  rmSync(join(dir, a!.file))
  await expect(publishTemplates([smallTemplate('b', 'c')], { dir, key }, context)).rejects.toMatchObject({
    message: `${a!.file} of a is not there in ${dir}`,
  })
  expect(statuses(await publishTemplates([smallTemplate('a', 'one')], { dir, key }, context))).toEqual([
    'a 1 unchanged',
  ])
  await readWhole(dir, key)
})

test('replaced files stay for two revisions and an hour', async () => {
  const { dir, key, context } = await place()
  let now = 0
  const at = { ...context, now: () => now }
  const publish = (content: string): Promise<Published> =>
    publishTemplates([smallTemplate('a', content)], { dir, key }, at)
  for (const content of ['1', '2', '3', '4']) await publish(content)
  expect(files(dir)).toHaveLength(4)
  now = 3_600_000
  const fifth = await publish('5')
  // The fourth and the third are kept; the rest is older than two revisions and an hour.
  expect(fifth.removed).toHaveLength(2)
  expect(files(dir)).toHaveLength(3)
  expect(existsSync(join(dir, fifth.templates[0]!.file))).toBe(true)
  now *= 2
  expect((await publish('5')).removed).toEqual([])
})

test('a folder that cannot be written is named', async () => {
  const { key, context } = await place()
  const file = join(tempFolder({ file: '' }), 'file')
  await expect(publishTemplates([], { dir: file, key }, context)).rejects.toMatchObject({
    code: 'PERMISSION',
    message: `cannot publish to ${file}: ENOTDIR: not a directory, mkdir '${file}/.img'`,
    fields: {
      path: file,
      hint: 'make the folder writable for this user; what was published before is whole',
    },
  })
})
