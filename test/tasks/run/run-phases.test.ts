import { expect, test } from 'vitest'
import { fakeBackend } from '../../../tasks/backends/fake.ts'
import type { Backend } from '../../../tasks/backends/backend.ts'
import { runBuild } from '../../../tasks/build.ts'
import { layer } from '../../../tasks/plan/declare.ts'
import type { Outcome } from '../../../tasks/plan/outcome.ts'
import type { Layer } from '../../../tasks/plan/recipe.ts'
import { fakeProject, root } from '../../rig/fake-project.ts'
import { testContext } from '../../rig/run-context.ts'

const needy: Backend = { ...fakeBackend(), needsTools: true, steps: new Set(['write', 'disk']) }

async function build(layers: readonly Layer[]): Promise<readonly Outcome[]> {
  const project = await fakeProject(testContext(), layers)
  const ran = await runBuild(project, [], {
    mode: 'keep-going',
    check: false,
    backends: [needy, fakeBackend()],
  })
  return ran.layers.map(({ outcome }) => outcome)
}

test('a recipe of the imgfile that names no tool tree is told so, instead of what a chroot makes of it', async () => {
  const [outcome] = await build([layer('install:own', root('a'))])
  expect(outcome).toMatchObject({
    status: 'failed',
    error: {
      code: 'IMGFILE_INVALID',
      message: 'layer install:own: none of its recipes names a tool tree',
      fields: {
        layer: 'install:own',
        hint: "give one `tools`, such as tools({ suite: 'trixie' }) of imgfile/recipes: the backend fake works by its programs",
        path: expect.stringMatching(/run-phases\.test\.ts$/) as string,
      },
    },
  })
})
