// push and its neighbours on a project that was built by the fake backend: what they print for programs.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fakeBackend } from '../../../tasks/backends/fake.ts'
import { runBuild } from '../../../tasks/build.ts'
import type { Command } from '../../../tasks/commands/command.ts'
import { log } from '../../../tasks/commands/log.ts'
import { pull } from '../../../tasks/commands/pull.ts'
import { push } from '../../../tasks/commands/push.ts'
import { runs } from '../../../tasks/commands/runs.ts'
import { show } from '../../../tasks/commands/show.ts'
import { why } from '../../../tasks/commands/why.ts'
import type { RunContext } from '../../../tasks/context.ts'
import { openProject } from '../../../tasks/run/project.ts'
import { fakeCall } from '../../rig/layer-disks.ts'
import { plainImgfile } from '../../rig/project.ts'
import { expectSchema } from '../../rig/schema.ts'
import { sharedCache } from '../../rig/shared-cache.ts'

function fill(context: RunContext, text = 'one'): RunContext {
  mkdirSync(join(context.root, 'files'), { recursive: true })
  writeFileSync(join(context.root, 'imgfile.ts'), plainImgfile)
  writeFileSync(join(context.root, 'files/a'), text)
  return context
}

async function build(context: RunContext): Promise<void> {
  const project = await openProject(context)
  await runBuild(project, [], { mode: 'fail-fast', check: false, backends: [fakeBackend()] })
  await project.close()
}

async function printed(
  command: Command,
  context: RunContext,
  call: Parameters<typeof fakeCall>[0],
): Promise<unknown> {
  const own = fakeCall({ cwd: context.root, json: true, ...call })
  expect(await command.run(own, context)).toBe(0)
  return own.printed[0]
}

test('records, runs, logs, and what goes to and comes from a remote', async () => {
  const shared = sharedCache()
  const ci = fill(shared.machine(shared.ci))
  await build(ci)
  expectSchema('record', await printed(show, ci, { args: ['base:a'] }))
  expectSchema('log', await printed(log, ci, { args: ['base:a'] }))
  const listed = (await printed(runs, ci, {})) as { runs: readonly { id: string }[] }
  expectSchema('runs', listed)
  expectSchema('run', await printed(show, ci, { args: [listed.runs[0]!.id] }))
  const pushed = await printed(push, ci, {})
  expectSchema('push', pushed)
  expect(pushed).toMatchObject({ pushed: [{ layer: 'install:a', status: 'there' }, { layer: 'base:a' }] })

  const laptop = fill(shared.machine())
  const pulled = await printed(pull, laptop, { args: ['base:a'] })
  expectSchema('pull', pulled)
  expect(pulled).toEqual({ pulled: [{ layer: 'base:a', status: 'fetched' }] })

  fill(laptop, 'two')
  const differs = await printed(why, laptop, { args: ['install:a'], options: { against: 'remote' } })
  expectSchema('why', differs)
  expect(differs).toMatchObject({
    changes: ['files/a changed'],
    chain: [{ layer: 'install:a', change: 'files/a changed', at: 'files/a' }],
    against: { layer: 'install:a', from: { remote: shared.folder, namespace: 'main', signer: 'ci' } },
  })
})

test('without a remote there is nothing to compare with', async () => {
  const lone = fill(sharedCache().machine(undefined, { IMG_REMOTES: '' }))
  await expect(
    printed(why, lone, { args: ['install:a'], options: { against: 'remote' } }),
  ).rejects.toMatchObject({
    code: 'OPTION_INVALID',
    message: 'there is no remote',
  })
})
