import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { CatalogInput } from '../../../tasks/plan/recipe.ts'
import { resolveCatalog, type CatalogOptions } from '../../../tasks/run/catalog.ts'
import { listPlugins, listTree, treeDigest } from '../../../tasks/run/catalog-stage.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

const input: CatalogInput = {
  kind: 'catalog',
  environment: 'control',
  node: 'web.invalid',
  role: 'web',
  facts: { os: { name: 'Debian' } },
}

test('a remembered catalog needs no tool tree, and is staged by content', async () => {
  const project = await rememberingProject()
  const resolved = await resolveCatalog(input, project.options)
  expect(resolved).toEqual({
    kind: 'catalog',
    digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    files: project.options.environmentFiles,
    inKey: false,
    locations: { 'File[/etc/rules]': 'control/m/manifests/init.pp:3' },
    value: project.remembered.value,
    stage: expect.any(Function),
  })
  const to = join(project.root, 'staged')
  await resolved.stage?.(to)
  expect(readFileSync(join(to, 'sources', project.digest), 'utf8')).toBe('allow all\n')
  expect(readFileSync(join(to, 'plugins/facter/x.rb'), 'utf8')).toBe('x')
  expect(JSON.parse(readFileSync(join(to, 'locations.json'), 'utf8'))).toEqual(project.remembered.locations)
})

test('what is not staged has empty folders', async () => {
  const project = await rememberingProject()
  const bare = { ...project.remembered, staged: {}, plugins: [] }
  const store = {
    ...project.options.store,
    readValue: () => Promise.resolve(Buffer.from(JSON.stringify(bare))),
  }
  const to = join(project.root, 'staged')
  await (await resolveCatalog(input, { ...project.options, store })).stage?.(to)
  expect(['sources', 'plugins'].map((name) => existsSync(join(to, name)))).toEqual([true, true])
})

test('everything a compilation depends on asks another question, the order of files does not', async () => {
  const { options, asked } = await rememberingProject()
  const [file] = options.environmentFiles
  const other = { path: 'control/z.pp', digest: 'd' }
  const questions: readonly [Partial<CatalogInput>, Partial<CatalogOptions>][] = [
    [{}, {}],
    [{ node: 'b.invalid' }, {}],
    [{ role: 'mail' }, {}],
    [{ environment: 'puppet' }, {}],
    [{ facts: { os: { name: 'Ubuntu' } } }, {}],
    [{}, { toolsDigest: 'other' }],
    [{}, { environmentFiles: [] }],
    [{}, { environmentFiles: [{ path: file?.path ?? '', digest: 'other' }] }],
    [{}, { environmentFiles: [{ path: file?.path ?? '', digest: file?.digest ?? '', mode: '0755' }] }],
    [{}, { environmentFiles: [...options.environmentFiles, other] }],
  ]
  for (const [change, over] of questions)
    await resolveCatalog({ ...input, ...change }, { ...options, ...over })
  expect(new Set(asked).size).toBe(questions.length)
  const last = asked.at(-1)
  await resolveCatalog(input, { ...options, environmentFiles: [other, ...options.environmentFiles] })
  expect(asked.at(-1)).toBe(last)
  expect(last).toMatch(/^catalog:[0-9a-f]{64}$/)
})

async function rememberingProject(): Promise<{
  root: string
  digest: string
  asked: string[]
  options: CatalogOptions
  remembered: { value: object; staged: object; plugins: readonly object[]; locations: object }
}> {
  const root = tempFolder({ 'control/m/files/rules': 'allow all\n', 'control/m/lib/facter/x.rb': 'x' })
  const environment = join(root, 'control')
  const source = (await listTree(environment, 'm/files/rules')) ?? []
  const plugins = await listPlugins(environment, [{ name: 'm', path: 'm' }])
  const digest = treeDigest(source)
  const remembered = {
    value: {
      catalog: { resources: [] },
      sources: { [`/run/img/sources/${digest}`]: digest },
      plugins: treeDigest(plugins),
    },
    staged: { [digest]: source },
    plugins,
    locations: { 'File[/etc/rules]': 'control/m/manifests/init.pp:3' },
  }
  const asked: string[] = []
  const options: CatalogOptions = {
    tools: () => Promise.reject(new Error('the tool tree was asked for')),
    toolsDigest: 'tools',
    context: { root, signal: new AbortController().signal },
    store: {
      readValue: (name) => {
        asked.push(name)
        return Promise.resolve(Buffer.from(JSON.stringify(remembered)))
      },
      writeValue: () => Promise.reject(new Error('nothing new was to be remembered')),
    },
    environmentFiles: [{ path: 'control/m/files/rules', digest: 'r' }],
  }
  return { root, digest, asked, options, remembered }
}
