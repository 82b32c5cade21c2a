import { expect, test } from 'vitest'
import { sealSteps } from '../../../tasks/plan/seal.ts'

test('the seal has a constant epoch', () => {
  expect(sealSteps()).toEqual([{ do: 'seal', epoch: Date.UTC(2020, 0, 1) / 1000 }])
})
