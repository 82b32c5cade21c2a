import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Call } from '../../../tasks/commands/command.ts'
import { renderDifference, update } from '../../../tasks/commands/update.ts'
import type { LockDifference } from '../../../tasks/run/apt-refresh.ts'
import {
  october,
  openArchiveProject,
  september,
  trixie,
  type ArchiveProject,
} from '../../rig/archive-project.ts'
import { hasGpg, makeSigner, type Signer } from '../../rig/fake-archive.ts'

const suite = {
  archive: 'debian',
  suite: 'trixie',
  status: 'newer',
  from: '2026-09-12T07:55:41Z',
  to: '2026-10-10T08:00:00Z',
  compared: true,
} as const

test.each<[string, LockDifference, string]>([
  [
    'nothing pinned',
    { suites: [], packages: [] },
    'imgfile.lock pins nothing yet: the first `img build` or `img plan` pins what the imgfile uses\n',
  ],
  [
    'nothing new',
    { suites: [{ ...suite, status: 'same', to: suite.from }], packages: [] },
    'trixie (debian): 2026-09-12T07:55:41Z, unchanged\n',
  ],
  [
    'a mirror that lags',
    { suites: [{ ...suite, status: 'older' }], packages: [] },
    'trixie (debian): 2026-09-12T07:55:41Z, kept\n',
  ],
  [
    'changed packages',
    {
      suites: [suite],
      packages: [
        { suite: 'trixie', name: 'hello', from: '1.0', to: '1.1' },
        { suite: 'trixie', name: 'moon', to: '1.0' },
        { suite: 'trixie', name: 'world', from: '2.0' },
        { suite: 'bookworm', name: 'other', from: '1', to: '2' },
      ],
    },
    'trixie (debian): 2026-09-12T07:55:41Z -> 2026-10-10T08:00:00Z\n' +
      '  hello 1.0 -> 1.1\n  moon 1.0, new\n  world 2.0, removed\n2 changed, 1 added, 1 removed\n',
  ],
  [
    'the same packages in a newer state',
    { suites: [suite], packages: [] },
    'trixie (debian): 2026-09-12T07:55:41Z -> 2026-10-10T08:00:00Z\n  no package differs\n',
  ],
  [
    'old lists gone',
    { suites: [{ ...suite, compared: false }], packages: [] },
    'trixie (debian): 2026-09-12T07:55:41Z -> 2026-10-10T08:00:00Z\n' +
      '  packages not compared: the old lists are no longer in the cache\n',
  ],
])('%s', (...[, difference, text]) => {
  expect(renderDifference(difference)).toBe(text)
})

test('many changes are cut, and it is said where all are', () => {
  const packages = Array.from({ length: 52 }, (_, index) => ({
    suite: 'trixie',
    name: `package${index}`,
    to: '1',
  }))
  const lines = renderDifference({ suites: [suite], packages }).split('\n')
  expect(lines).toHaveLength(1 + 50 + 1 + 1 + 1)
  expect(lines[51]).toBe('  and 2 more; --json has all')
})

describe.runIf(hasGpg)('img update', () => {
  let signer: Signer
  let project: ArchiveProject
  const printed: unknown[] = []
  beforeAll(() => {
    signer = makeSigner()
  })
  afterAll(() => signer.remove())
  beforeEach(async () => {
    project = await openArchiveProject(signer)
    project.serve(september)
    await (await project.open()).resolve(trixie)
    project.serve(october)
    printed.length = 0
  })
  afterEach(() => project.close())
  const call = (json: boolean, options: Call['options']): Call => ({
    args: [],
    cwd: project.context.root,
    options,
    json,
    print: (result) => printed.push(result),
  })

  test('--json --dry-run, then for real, then nothing is left to do', async () => {
    expect(await update.run(call(true, { dryRun: true }), project.context)).toBe(0)
    expect(printed).toEqual([
      { dryRun: true, accepted: false, suites: [{ ...suite, compared: false }], packages: [] },
    ])
    const yes = { ...project.context, yes: true }
    expect(await update.run(call(false, {}), yes)).toBe(0)
    expect(await update.run(call(false, {}), yes)).toBe(0)
    expect(printed.slice(1)).toEqual([
      renderDifference({ suites: [{ ...suite, compared: false }], packages: [] }),
      'imgfile.lock was written\n',
      'trixie (debian): 2026-10-10T08:00:00Z, unchanged\n',
    ])
  })

  test('nothing is pinned unless somebody says yes', async () => {
    expect(await update.run(call(false, {}), project.context)).toBe(1)
    const asked: string[] = []
    const answering = (answer: boolean): Call => ({
      ...call(false, {}),
      ask: async (question) => {
        asked.push(question)
        return answer
      },
    })
    expect(await update.run(answering(false), project.context)).toBe(1)
    expect(await update.run(answering(true), project.context)).toBe(0)
    expect(asked).toEqual(['build from these from now on?', 'build from these from now on?'])
    expect(printed.filter((_, at) => at % 2 === 1)).toEqual([
      'imgfile.lock was not written: nobody is here to accept it; `img update --yes` does\n',
      'imgfile.lock was not written\n',
      'imgfile.lock was written\n',
    ])
  })
})
