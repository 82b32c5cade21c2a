import { expect, test } from 'vitest'
import { artifactBytes, expectedDuration } from '../../../tasks/plan/past-build.ts'
import { pastBuild } from './sample.ts'

test.each([
  [[], undefined],
  [[{}], undefined],
  [[{ total: 90 }], 90],
  [[{ total: 90, 'step 1': 60, 'step 2': 30 }], 90],
  [[{ 'step 1': 60, 'step 2': 30 }], 90],
  [[{ total: 10 }, { total: 1000 }, { total: 20 }], 20],
  [[{ total: 10 }, { total: 21 }], 16],
  [[{ total: 10 }, {}], 10],
])('expected of %j: %s ms', (durations, expected) => {
  expect(expectedDuration(durations.map((each) => ({ durations: each as Record<string, number> })))).toBe(
    expected,
  )
})

test('bytes of all files of an artifact', () => {
  expect(artifactBytes(pastBuild({ artifact: { a: { dataBytes: 3 }, b: { dataBytes: 4 } } }))).toBe(7)
  expect(artifactBytes(pastBuild({ artifact: {} }))).toBe(0)
})
