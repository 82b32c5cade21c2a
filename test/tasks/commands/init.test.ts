import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Call } from '../../../tasks/commands/command.ts'
import { init, scaffold } from '../../../tasks/commands/init.ts'
import type { RunContext } from '../../../tasks/context.ts'
import { loadImgfile } from '../../../tasks/run/load.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

const files = [
  '.gitignore',
  'imgfile.ts',
  'preseed/trixie.cfg',
  'puppet/data/common.yaml',
  'puppet/environment.conf',
  'puppet/hiera.yaml',
  'puppet/manifests/site.pp',
  'puppet/site-modules/profile/manifests/motd.pp',
  'puppet/site-modules/role/manifests/base.pp',
]

test('writes a project and says how to go on', async () => {
  const cwd = tempFolder()
  const { status, printed } = await run(cwd, ['my/images'])
  expect(status).toBe(0)
  expect(printed).toEqual([
    `${files.map((name) => `wrote ${name}\n`).join('')}next: cd my/images && npx img build\n`,
  ])
  const found = readdirSync(join(cwd, 'my/images'), { recursive: true, withFileTypes: true })
  expect(found.filter((entry) => entry.isFile())).toHaveLength(files.length)
  expect(readFileSync(join(cwd, 'my/images/preseed/trixie.cfg'), 'utf8')).toMatch(/^d-i /m)
})

test('the project it writes is one', async () => {
  const root = tempFolder()
  await run(root, [])
  const { signal } = new AbortController()
  const context = { root, cacheDir: tempFolder(), env: {}, signal, loader: 'jiti' } as const
  const { imgfile, closure } = await loadImgfile(context)
  expect(imgfile.layers.map(({ name }) => name)).toEqual(['install:trixie', 'base:trixie'])
  expect(closure.outside).toEqual([])
})

test('as JSON', async () => {
  const cwd = tempFolder()
  expect((await run(cwd, [], true)).printed).toEqual([{ folder: cwd, files }])
})

test('overwrites nothing, and writes nothing then', async () => {
  const cwd = tempFolder({ 'puppet/hiera.yaml': 'mine' })
  await expect(run(cwd, [])).rejects.toMatchObject({
    code: 'USAGE',
    message: `puppet/hiera.yaml is already in ${cwd}`,
    fields: { hint: 'choose an empty folder: img init my-images', path: 'puppet/hiera.yaml' },
  })
  expect(readdirSync(cwd)).toEqual(['puppet'])
})

test('a file made meanwhile is kept', async () => {
  const cwd = tempFolder({ 'imgfile.js': 'mine' })
  writeFileSync(join(cwd, '.gitignore'), 'mine')
  await expect(run(cwd, [])).rejects.toThrow('.gitignore is already in')
  expect([...scaffold().keys()]).toEqual(files)
})

async function run(
  cwd: string,
  args: string[],
  json = false,
): Promise<{ status: number; printed: unknown[] }> {
  const printed: unknown[] = []
  const call: Call = { args, options: {}, json, cwd, print: (result) => printed.push(result) }
  return { status: await init.run(call, {} as RunContext), printed }
}
