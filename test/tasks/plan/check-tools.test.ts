import { expect, test } from 'vitest'
import { fakeBackend } from '../../../tasks/backends/fake.ts'
import { planBuild, runBuild } from '../../../tasks/build.ts'
import { plan } from '../../../tasks/commands/plan.ts'
import { checkTools } from '../../../tasks/plan/check-tools.ts'
import { layer } from '../../../tasks/plan/declare.ts'
import type { Layer } from '../../../tasks/plan/recipe.ts'
import { child, fakeProject, fixed, root, toolTree, write } from '../../rig/fake-project.ts'
import { fakeCall } from '../../rig/layer-disks.ts'
import { testContext } from '../../rig/run-context.ts'
import { writeFiles } from '../../rig/temp-folder.ts'

const tree: Layer = layer('tools:t', toolTree())

const check = async (layers: readonly Layer[]): Promise<void> => {
  const project = await fakeProject(testContext(), layers)
  await planBuild(project, [], (decisions) => checkTools(project.graph, decisions.values()))
}

const refused = {
  code: 'IMGFILE_INVALID',
  message: 'layer install:own: none of its recipes names a tool tree',
  fields: {
    layer: 'install:own',
    hint: "give one `tools`, such as tools({ suite: 'trixie' }) of imgfile/recipes: its programs make the disk",
    path: expect.stringMatching(/check-tools\.test\.ts$/) as string,
    line: expect.any(Number) as number,
  },
}

test('a disk without a tool tree is refused where its layer is declared', async () => {
  await expect(check([layer('install:own', root('a'))])).rejects.toMatchObject(refused)
})

test('a tool tree needs none, and what has one or stands on what has one is fine', async () => {
  await expect(check([tree])).resolves.toBeUndefined()
  const install = layer('install:a', { ...root('a'), tools: tree })
  await expect(check([install, child('base:a', install, fixed([write('/a', 'a')]))])).resolves.toBeUndefined()
})

test('a build refuses it before anything is started, where no backend works without', async () => {
  const project = await fakeProject(testContext(), [layer('install:own', root('a'))])
  const backend = fakeBackend()
  const options = { mode: 'fail-fast', check: false } as const
  const needy = { ...backend, needsTools: true } as const
  await expect(runBuild(project, [], { ...options, backends: [needy] })).rejects.toMatchObject(refused)
  expect(backend.started).toEqual([])
  const { layers } = await runBuild(project, [], { ...options, backends: [backend] })
  expect(layers.map(({ outcome }) => outcome.status)).toEqual(['built'])
})

test('img plan says file and line', async () => {
  const context = testContext()
  const step = `{ do: 'disk', layout: { size: 67108864, table: 'gpt', partitions: [{ name: 'root', size: 33554432,
    grow: true, content: { kind: 'ext4', mount: '/', options: 'defaults' } }],
    boot: { bios: false, uefi: false, cmdline: '', timeout: 0 } } }`
  writeFiles(context.root, {
    'imgfile.ts': `import { defineImgfile, layer } from 'imgfile'
const own = { name: 'own', mode: 'chroot', parent: 'none', inputs: {}, steps: () => [${step}] }
export default defineImgfile({ layers: [layer('install:own', own)] })
`,
  })
  await expect(plan.run(fakeCall({ cwd: context.root }), context)).rejects.toMatchObject({
    ...refused,
    fields: { ...refused.fields, path: 'imgfile.ts', line: 5 },
  })
})
