import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { makePublish } from '../../../tasks/commands/publish.ts'
import { type BoxOptions, makeBoxes } from '../../rig/box.ts'
import { fakeCall } from '../../rig/layer-disks.ts'
import { testContext } from '../../rig/run-context.ts'
import { expectSchema } from '../../rig/schema.ts'
import { type Content, contentOf, sha256 } from '../../rig/target-content.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

let dir = ''
beforeEach(() => {
  dir = join(tempFolder(), 'boxes')
})

const publish = async (disk: string, options: BoxOptions, json = true): Promise<unknown> => {
  const files: Content = await makeBoxes(disk, options)
  const call = fakeCall({ args: ['vagrant:web'], options: { to: dir }, json })
  await makePublish(contentOf(() => files)).run(call, testContext())
  return call.printed[0]
}

interface Catalog {
  readonly description?: string
  readonly versions: readonly {
    readonly version: string
    readonly providers: readonly { readonly name: string; readonly url: string; readonly checksum: string }[]
  }[]
}

const readCatalog = (): Catalog => JSON.parse(readFileSync(join(dir, 'catalog.json'), 'utf8')) as Catalog
const versions = (): readonly string[] => readCatalog().versions.map(({ version }) => version)

test('each version has its folder, and the catalog has them all', async () => {
  const first = await publish('one', { version: '1.0.9' })
  expectSchema('publish', first)
  expect(first).toEqual({
    to: dir,
    published: [
      {
        layer: 'vagrant:web',
        status: 'new',
        box: 'example/web',
        version: '1.0.9',
        files: ['1.0.9/libvirt.box', '1.0.9/virtualbox.box'],
      },
    ],
  })
  expect(await publish('two', { version: '1.0.10' }, false)).toBe(
    `vagrant:web  example/web 1.0.10  changed  ${dir}/1.0.10/libvirt.box\n` +
      `vagrant:web  example/web 1.0.10  changed  ${dir}/1.0.10/virtualbox.box\n`,
  )
  expect(versions()).toEqual(['1.0.10', '1.0.9'])
  for (const { version, providers } of readCatalog().versions) {
    expect(providers.map(({ name }) => name)).toEqual(['libvirt', 'virtualbox'])
    for (const { name, url, checksum } of providers) {
      expect(url).toBe(`https://boxes.example.org/web/${version}/${name}.box`)
      expect(checksum).toBe(sha256(readFileSync(join(dir, version, `${name}.box`))))
    }
  }
  const before = readFileSync(join(dir, 'catalog.json'))
  expect(await publish('one', { version: '1.0.9' })).toMatchObject({ published: [{ status: 'unchanged' }] })
  expect(readFileSync(join(dir, 'catalog.json'))).toEqual(before)
  expect(readdirSync(join(dir, '.img')).filter((name) => !name.endsWith('.lock'))).toEqual([])
})

test('a version is published once: other bytes need another one', async () => {
  await publish('one', { version: '1.0.0' })
  const before = readFileSync(join(dir, 'catalog.json'))
  const made = await makeBoxes('two', { version: '1.0.0' })
  await expect(publish('two', { version: '1.0.0' })).rejects.toMatchObject({
    code: 'REPOSITORY_INVALID',
    message: `version 1.0.0 is published with another libvirt.box in ${dir}/catalog.json`,
    fields: {
      hint: 'give vagrant() a higher version: who has this one would never be told of other bytes',
      path: `${dir}/catalog.json`,
      found: sha256(readFileSync(join(dir, '1.0.0/libvirt.box'))),
      wanted: sha256(made['libvirt.box']!),
    },
  })
  expect(readFileSync(join(dir, 'catalog.json'))).toEqual(before)
})

test('a box for another hypervisor joins its version', async () => {
  await publish('one', { version: '1.0.0', providers: ['libvirt'] })
  await publish('one', { version: '1.0.0', providers: ['virtualbox'] })
  expect(readCatalog().versions.map(({ providers }) => providers.map(({ name }) => name))).toEqual([
    ['libvirt', 'virtualbox'],
  ])
})

test("what others wrote into the catalog stays, and what the imgfile's own one has comes in", async () => {
  await publish('one', { version: '1.0.0' })
  const catalog = { ...readCatalog(), description: 'theirs', more: 1 }
  writeFileSync(join(dir, 'catalog.json'), JSON.stringify(catalog))
  await publish('two', { version: '2.0.0', description: 'ours' })
  expect(readCatalog()).toMatchObject({ description: 'theirs', more: 1 })
  expect(versions()).toEqual(['2.0.0', '1.0.0'])
})

test('a box somebody cut off is put there again, and a lost one, too', async () => {
  await publish('one', { version: '1.0.0' })
  const [cut, lost] = ['libvirt.box', 'virtualbox.box'].map((name) => join(dir, '1.0.0', name)) as [
    string,
    string,
  ]
  const [whole, same] = [readFileSync(cut), readFileSync(lost)]
  writeFileSync(cut, 'half')
  writeFileSync(lost, '')
  await publish('one', { version: '1.0.0' })
  expect([readFileSync(cut), readFileSync(lost)]).toEqual([whole, same])
})

test('boxes are there before the catalog names them', async () => {
  await publish('one', { version: '1.0.0' })
  const files = await makeBoxes('two', { version: '2.0.0' })
  const seen: (readonly string[])[] = []
  const open = contentOf((_, name) => {
    if (name.endsWith('.box')) seen.push(versions())
    return files
  })
  const call = fakeCall({ args: ['vagrant:web'], options: { to: dir } })
  await makePublish(open).run(call, testContext())
  expect(seen).toEqual([['1.0.0'], ['1.0.0']])
  expect(versions()).toEqual(['2.0.0', '1.0.0'])
})

test.each([
  [
    JSON.stringify({ name: 'example/other', versions: [] }),
    'CATALOG is the catalog of example/other, not of example/web',
    'publish each box to a folder of its own',
  ],
  [
    'no JSON',
    'CATALOG is no catalog of boxes',
    'move it away to start a new one, or publish to another folder',
  ],
  [
    '{"name":"example/web","versions":[{"version":1}]}',
    'CATALOG is no catalog of boxes',
    'move it away to start a new one, or publish to another folder',
  ],
])('the catalog %j is refused', async (text, message, hint) => {
  const folder = tempFolder({ 'catalog.json': text })
  dir = folder
  await expect(publish('one', { version: '1.0.0' })).rejects.toMatchObject({
    code: 'REPOSITORY_INVALID',
    message: message.replace('CATALOG', `${dir}/catalog.json`),
    fields: { hint, path: `${dir}/catalog.json` },
  })
  expect(readFileSync(join(dir, 'catalog.json'), 'utf8')).toBe(text)
  expect(existsSync(join(dir, '1.0.0'))).toBe(false)
})

test('what is no folder cannot be published to', async () => {
  dir = join(tempFolder({ file: '' }), 'file')
  await expect(publish('one', { version: '1.0.0' })).rejects.toMatchObject({
    code: 'PERMISSION',
    message: `cannot publish to ${dir}: ENOTDIR: not a directory, mkdir '${dir}/.img'`,
    fields: { hint: 'make the folder writable for this user; what was published before is whole' },
  })
})
