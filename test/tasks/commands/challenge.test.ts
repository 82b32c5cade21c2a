// What was built here beside what others recorded, by the fake backend.

import { expect, test } from 'vitest'
import { fakeBackend } from '../../../tasks/backends/fake.ts'
import { type BuildResult, runBuild } from '../../../tasks/build.ts'
import { challengeLayers, renderChallenged } from '../../../tasks/commands/challenge.ts'
import type { RunContext } from '../../../tasks/context.ts'
import { layer } from '../../../tasks/plan/declare.ts'
import type { Layer } from '../../../tasks/plan/recipe.ts'
import type { Remotes } from '../../../tasks/run/remotes.ts'
import { child, fakeProject, fixed, root, write } from '../../rig/fake-project.ts'
import { expectSchema } from '../../rig/schema.ts'
import { sharedCache } from '../../rig/shared-cache.ts'

const chain = (content: string): readonly Layer[] => {
  const install = layer('install:a', root('a'))
  return [install, child('role:a', install, fixed([write('/etc/role', content)]))]
}

async function build(
  context: RunContext,
  content: string,
): Promise<{ built: BuildResult; remotes: Remotes }> {
  const project = await fakeProject(context, chain(content))
  const built = await runBuild(project, [], { mode: 'fail-fast', check: false, backends: [fakeBackend()] })
  const remotes = (await project.remotes())!
  await remotes.settle()
  return { built, remotes }
}

test('the same, other than recorded, and nobody recorded it', async () => {
  const shared = sharedCache()
  await build(shared.machine(shared.ci), 'theirs')
  const { built, remotes } = await build(shared.machine(), 'theirs')
  const results = await challengeLayers(['install:a', 'role:a'], built.layers, remotes)
  const common = { verdict: 'same', remote: shared.folder, signer: 'ci', namespace: 'main' }
  expect(results).toMatchObject([
    { ...common, layer: 'install:a' },
    { ...common, layer: 'role:a' },
  ])
  expectSchema('challenge', { layers: results })
  expect(renderChallenged(results)).toBe(
    `install:a  the same as recorded by ci in ${shared.folder}\nrole:a     the same as recorded by ci in ${shared.folder}\n`,
  )

  const wrong = built.layers.map((one) =>
    one.record === undefined ? one : { ...one, record: { ...one.record, treeDigest: 'other' } },
  )
  const different = await challengeLayers(['role:a'], wrong, remotes)
  expect(different).toMatchObject([{ verdict: 'different', treeDigest: 'other' }])
  expectSchema('challenge', { layers: different })
  expect(renderChallenged(different)).toBe(`role:a  other than recorded by ci in ${shared.folder}\n`)

  const ours = await build(shared.machine(), 'ours')
  const unknown = await challengeLayers(['role:a'], ours.built.layers, ours.remotes)
  expectSchema('challenge', { layers: unknown })
  expect(renderChallenged(unknown)).toBe('role:a  nobody recorded this key\n')
})
