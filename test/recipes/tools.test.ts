import { expect, test } from 'vitest'
import { defaultTools, tools } from '../../recipes/tools.ts'
import { factsOf } from './facts.ts'

test('the tool tree is a layer without parent that ends as an archive', () => {
  const layer = tools({ suite: 'trixie', updates: false })
  expect([layer.name, layer.from, layer.recipes.length]).toEqual(['tools:trixie', undefined, 1])
  const [recipe] = layer.recipes
  expect(recipe?.inputs).toEqual({
    apt: { kind: 'apt', suite: 'trixie', components: ['main'], updates: false, security: true },
  })
  expect(recipe?.tools).toBeUndefined()
  const steps = recipe?.steps(factsOf('')) ?? []
  expect(steps.map((step) => step.do)).toEqual(['bootstrap', 'remove', 'archive'])
  expect(steps[0]).toMatchObject({ variant: 'apt', recommends: false, debconf: [] })
})

test('the packages are sorted, each once', () => {
  const [step] = defaultTools.recipes[0]?.steps(factsOf('')) ?? []
  const packages = step?.do === 'bootstrap' ? step.packages : []
  expect(packages).toEqual([...new Set(packages)].toSorted())
  expect(packages).toContain('mmdebstrap')
})

test('older releases are refused', () => {
  expect(() => tools({ suite: 'bookworm' as 'trixie' })).toThrow(
    expect.objectContaining({
      message: 'tools: "suite" is "bookworm", not trixie, the only release whose mkfs.ext4 makes equal disks',
    }),
  )
})
