import { expect, test } from 'vitest'
import { fakeBackend } from '../../../tasks/backends/fake.ts'
import { runBuild } from '../../../tasks/build.ts'
import { ImgError } from '../../../tasks/errors.ts'
import { layer } from '../../../tasks/plan/declare.ts'
import { fakeProject, root } from '../../rig/fake-project.ts'
import { testContext } from '../../rig/run-context.ts'

test('what made a build fail is told, also where the disk is too full to keep its log', async () => {
  const context = testContext()
  const project = await fakeProject(context, [layer('install:a', root('a'))])
  const full = new ImgError('DISK_FULL', 'remembering a log failed: no space is left', { hint: 'make room' })
  const store = { ...project.store, writeValue: () => Promise.reject(full) }
  const backends = [fakeBackend({ failing: ['install:a'] })]
  const options = { mode: 'fail-fast', check: false, backends } as const
  const { layers } = await runBuild({ ...project, store }, [], options)
  expect(layers.map(({ outcome }) => outcome)).toMatchObject([
    { status: 'failed', error: { code: 'STEP_FAILED' } },
  ])
  expect(context.events.filter(({ event }) => event === 'warning')).toEqual([
    {
      event: 'warning',
      layer: 'install:a',
      text: 'the output of the failed build was not kept: remembering a log failed: no space is left',
      hint: 'make room',
    },
  ])
})
