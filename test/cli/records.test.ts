import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openStore } from '../../cache/open-store.ts'
import type { LayerRecord } from '../../cache/store.ts'
import { keyFormat } from '../../tasks/plan/key.ts'
import { projectIdentity } from '../../tasks/run/project-identity.ts'
import { plainImgfile, testProject, type TestProject } from '../rig/project.ts'
import { tempFolder, writeFiles } from '../rig/temp-folder.ts'

test('what was built is listed, shown, kept and explained', async () => {
  const project = testProject({ 'imgfile.ts': plainImgfile, 'files/a': 'a' })
  const key = await keyOf(project)
  await recordBuild(project, key)
  const { stdout: list } = await project.img(['ls', 'install:a'])
  expect(list.replaceAll(/ +/g, ' ')).toMatch(
    /^layer state size built\ninstall:a current 4 B \d+ d .* ago\n$/,
  )
  const { stdout: shown } = await project.img(['show', 'install:a', '--json'])
  expect(JSON.parse(shown)).toMatchObject({ format: 1, key, layer: 'install:a', backend: 'namespace' })
  expect((await project.img(['log', 'install:a'])).stdout).toBe('raw \u001b[31mred\u001b[0m\r\n')
  expect(JSON.parse((await project.img(['log', 'install:a', '--json'])).stdout)).toEqual({
    layer: 'install:a',
    status: 'built',
    started: 1000,
    text: 'raw \u001b[31mred\u001b[0m\r\n',
  })
  expect((await project.img(['why', 'install:a'])).stdout).toMatch(
    /^install:a: reuse, cached\nbuilt \d+ d .* ago as [0-9a-f]{12}, for the first time\n$/,
  )
})

test('a changed file is named, offline', async () => {
  const project = testProject({ 'imgfile.ts': plainImgfile, 'files/a': 'a' })
  await recordBuild(project, await keyOf(project), [{ path: 'files/a', digest: 'another', mode: '0644' }])
  writeFiles(project.root, { 'files/new': '' })
  const { stdout } = await project.img(['why', 'install:a', '--json'])
  expect(JSON.parse(stdout)).toMatchObject({
    name: 'install:a',
    action: 'build',
    changes: expect.arrayContaining(['files/a changed', 'files/new added']),
  })
})

test.each(['show', 'log'])('%s of what was never built', async (command) => {
  const project = testProject({ 'imgfile.ts': plainImgfile })
  const what = command === 'show' ? 'base:a was never built here' : 'no output of base:a is kept here'
  expect(await project.img([command, 'base:a'])).toEqual({
    status: 4,
    stdout: '',
    stderr: `error RECORD_MISSING: ${what}\n  hint run \`img build base:a\`\n`,
  })
})

test('a command about one layer refuses two', async () => {
  const project = testProject({ 'imgfile.ts': plainImgfile })
  expect(await project.img(['show', '*:a'])).toEqual({
    status: 2,
    stdout: '',
    stderr: `error USAGE: *:a means 2 layers, and this command takes one
  hint name one of them
  known: install:a, base:a
`,
  })
})

test('the cache is counted and checked', async () => {
  const project = testProject({ 'imgfile.ts': plainImgfile, 'files/a': 'a' })
  await recordBuild(project, await keyOf(project))
  const stats = await project.img(['cache', 'stats', '--json'])
  expect(JSON.parse(stats.stdout)).toMatchObject({ dir: project.cacheDir, packs: 1, records: 1 })
  expect(await project.img(['cache', 'verify'])).toEqual({
    status: 0,
    stdout: 'no damage found\n',
    stderr: '',
  })
  expect((await project.img(['cache', 'verify', '--read-data', '--json'])).stdout).toBe('{"problems":[]}\n')
})

async function keyOf(project: TestProject): Promise<string> {
  const { stdout } = await project.img(['plan', 'install:a', '--json'])
  return (JSON.parse(stdout) as { layers: { key: string }[] }).layers[0]?.key ?? ''
}

/** What a build would have left, with a disk of four bytes. */
async function recordBuild(
  project: TestProject,
  key: string,
  files?: LayerRecord['inputs'][string]['files'],
): Promise<void> {
  const store = await openStore({
    dir: project.cacheDir,
    now: Date.now,
    project: projectIdentity(project.root),
  })
  const source = tempFolder({ 'disk.raw': 'disk' })
  await store.writeValue('log:test', 'raw \u001b[31mred\u001b[0m\r\n')
  const artifact = await store.put({ 'disk.raw': join(source, 'disk.raw') })
  await store.save({
    format: 1,
    key: files === undefined ? key : '0'.repeat(64),
    layer: 'install:a',
    keyRecord: { format: keyFormat, arch: 'amd64', phases: [], inputs: { '0.files': 'old' }, parents: {} },
    artifact,
    treeDigest: 't'.repeat(64),
    inputs: { '0.files': { kind: 'files', digest: 'old', files: files ?? [] } },
    parents: {},
    because: ['never built'],
    backend: 'namespace',
    tools: {},
    started: 1000,
    durations: { total: 5 },
    log: 'log:test',
  })
  await store.close()
}
