import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { renderRun } from '../../../tasks/commands/show.ts'
import { renderRuns } from '../../../tasks/commands/runs.ts'
import { ImgError } from '../../../tasks/errors.ts'
import { toChromeTrace } from '../../../tasks/run/chrome-trace.ts'
import { readRuns, recordRun } from '../../../tasks/run/run-record.ts'
import { testContext } from '../../rig/run-context.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

function recorded(): { readonly run: ReturnType<typeof readRuns>[number]; readonly cacheDir: string } {
  const clock = { now: Date.UTC(2026, 10, 22, 20, 0, 0) }
  const context = testContext({ now: () => clock.now })
  const recorder = recordRun(context)
  const { emit } = recorder.context
  const later = (ms: number): number => (clock.now += ms)
  emit({ event: 'layer-start', layer: 'base:a', key: 'k1' })
  later(1000)
  emit({ event: 'step-start', layer: 'base:a', step: 1, steps: 2, label: 'puppet apply' })
  later(2000)
  emit({ event: 'step-start', layer: 'base:a', step: 2, steps: 2, label: 'seal' })
  later(500)
  emit({ event: 'layer-end', layer: 'base:a', outcome: { status: 'built', key: 'k1', ms: 3500 } })
  emit({ event: 'layer-start', layer: 'role:b', key: 'k2' })
  later(100)
  const error = new ImgError('STEP_FAILED', 'it broke')
  emit({ event: 'layer-end', layer: 'role:b', outcome: { status: 'failed', error, ms: 100 } })
  recorder.save(['role:b'])
  const [run] = readRuns(context, 'own')
  if (run === undefined) throw new Error('nothing was recorded')
  expect(context.events.length).toBe(6)
  return { run, cacheDir: context.cacheDir }
}

test('what was built, when each step began, and what became of it', () => {
  const { run } = recorded()
  expect({ ...run, id: run.id.slice(0, 18), root: '' }).toMatchInlineSnapshot(`
    {
      "format": 1,
      "id": "20261122T200000000",
      "layers": [
        {
          "key": "k1",
          "ms": 3500,
          "name": "base:a",
          "started": 1795377600000,
          "status": "built",
          "steps": [
            {
              "label": "puppet apply",
              "ms": 2000,
              "started": 1795377601000,
            },
            {
              "label": "seal",
              "ms": 500,
              "started": 1795377603000,
            },
          ],
        },
        {
          "ms": 100,
          "name": "role:b",
          "reason": "it broke",
          "started": 1795377603500,
          "status": "failed",
          "steps": [],
        },
      ],
      "ms": 3600,
      "root": "",
      "started": 1795377600000,
      "status": "failed",
      "wanted": [
        "role:b",
      ],
    }
  `)
  expect(renderRun({ ...run, id: '20261122T200000000-0000' })).toMatchInlineSnapshot(`
    "20261122T200000000-0000 failed, 3.6 s: role:b
    base:a  built   3.5 s
                    2.0 s   puppet apply
                    500 ms  seal
    role:b  failed  100 ms  it broke
    "
  `)
  expect(renderRuns([{ ...run, id: '20261122T200000000-0000' }], { now: run.started + 60_000, others: 0 }))
    .toMatchInlineSnapshot(`
    "run                      status  took   when           layers
    20261122T200000000-0000  failed  3.6 s  1 min 0 s ago  base:a built, role:b failed
    "
  `)
})

test('a trace has a row for each layer, with its steps inside', () => {
  expect(toChromeTrace(recorded().run).traceEvents).toMatchInlineSnapshot(`
    [
      {
        "args": {
          "name": "base:a",
        },
        "name": "thread_name",
        "ph": "M",
        "pid": 1,
        "tid": 1,
      },
      {
        "args": {
          "key": "k1",
          "status": "built",
        },
        "cat": "layer",
        "dur": 3500000,
        "name": "base:a",
        "ph": "X",
        "pid": 1,
        "tid": 1,
        "ts": 0,
      },
      {
        "args": {},
        "cat": "step",
        "dur": 2000000,
        "name": "puppet apply",
        "ph": "X",
        "pid": 1,
        "tid": 1,
        "ts": 1000000,
      },
      {
        "args": {},
        "cat": "step",
        "dur": 500000,
        "name": "seal",
        "ph": "X",
        "pid": 1,
        "tid": 1,
        "ts": 3000000,
      },
      {
        "args": {
          "name": "role:b",
        },
        "name": "thread_name",
        "ph": "M",
        "pid": 1,
        "tid": 2,
      },
      {
        "args": {
          "status": "failed",
        },
        "cat": "layer",
        "dur": 100000,
        "name": "role:b",
        "ph": "X",
        "pid": 1,
        "tid": 2,
        "ts": 3500000,
      },
    ]
  `)
})

test('the newest two hundred stay', () => {
  const context = testContext({ now: () => clock.now })
  const clock = { now: 0 }
  for (let number = 0; number < 205; number++) {
    clock.now += 1000
    recordRun(context).save([`role:${number}`])
  }
  const runs = readRuns(context, 'own')
  expect([runs.length, runs[0]?.wanted, runs.at(-1)?.wanted]).toEqual([200, ['role:204'], ['role:5']])
  const [project = ''] = readdirSync(join(context.cacheDir, 'runs'))
  expect(readdirSync(join(context.cacheDir, 'runs', project)).length).toBe(200)
})

test('runs belong to the folder they were started in, also where it is moved, and those of before to its path', () => {
  const clock = { now: 0 }
  const { cacheDir } = testContext()
  const folders = tempFolder()
  const at = (name: string): ReturnType<typeof testContext> => {
    mkdirSync(join(folders, name), { recursive: true })
    return testContext({ cacheDir, root: join(folders, name), now: () => (clock.now += 1000) })
  }
  recordRun(at('one')).save(['role:one'])
  recordRun(at('two')).save(['role:two'])
  const old = { ...readRuns(at('one'), 'own')[0]!, id: '19700101T000000000-0000', wanted: ['role:old'] }
  writeFileSync(join(cacheDir, 'runs', `${old.id}.json`), JSON.stringify(old))
  writeFileSync(join(cacheDir, 'runs', '19700101T000000001-0000.json'), '{ torn')
  const wanted = (name: string, whose: 'own' | 'all' = 'own'): unknown =>
    readRuns(at(name), whose).map((run) => run.wanted[0])
  expect(wanted('one')).toEqual(['role:one', 'role:old'])
  expect(wanted('two')).toEqual(['role:two'])
  expect(wanted('three', 'all')).toEqual(['role:two', 'role:one', 'role:old'])
  renameSync(join(folders, 'two'), join(folders, 'moved'))
  expect(wanted('moved')).toEqual(['role:two'])
  expect(wanted('two')).toEqual([])
  expect(renderRuns([], { now: 0, others: 3 })).toBe(
    'no run yet: `img build` makes the first; `img runs --all` lists 3 of other folders\n',
  )
  expect(renderRuns([], { now: 0, others: 0 })).toBe('no run yet: `img build` makes the first\n')
})
