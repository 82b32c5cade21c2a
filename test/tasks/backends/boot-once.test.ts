import { expect, test } from 'vitest'
import { bootLimits } from '../../../tasks/backends/boot-once.ts'

test.each([
  ['kvm', undefined, { totalMs: 300_000, silenceMs: 90_000, answerMs: 75_000 }],
  ['tcg', undefined, { totalMs: 1_200_000, silenceMs: 360_000, answerMs: 300_000 }],
  ['kvm', 60, { totalMs: 60_000, silenceMs: 60_000, answerMs: 60_000 }],
  ['kvm', 600, { totalMs: 600_000, silenceMs: 180_000, answerMs: 150_000 }],
  ['tcg', 3600, { totalMs: 3_600_000, silenceMs: 1_080_000, answerMs: 900_000 }],
] as const)('%s with --limit %s', (accelerator, limit, limits) => {
  expect(bootLimits(accelerator, limit)).toEqual(limits)
})
