import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { computeKey, type KeyFacts } from '../../../tasks/plan/key.ts'
import type { JsonValue, Step } from '../../../tasks/plan/step.ts'

const facts: KeyFacts = {
  arch: 'amd64',
  phases: [
    {
      mode: 'chroot',
      tools: 'tools',
      steps: [
        { do: 'apt', apt: '0.packages', install: ['ceph-osd'], remove: [], recommends: false },
        { do: 'run', argv: ['update-grub'], label: 'boot menu' },
        { do: 'seal', epoch: 1 },
      ],
    },
    { mode: 'boot', tools: undefined, steps: [{ do: 'mkdir', path: '/srv', mode: '0755' }] },
  ],
  inputs: { '0.packages': 'aa', '1.files': 'bb' },
  parents: { from: 'cc', tools: 'dd' },
}

test('the key is the sha256 of the canonical record', () => {
  const { key, record } = computeKey(facts)
  const text =
    '{"arch":"amd64","format":2,"inputs":{"0.packages":"aa","1.files":"bb"},"parents":{"from":"cc","tools":"dd"},' +
    '"phases":[{"mode":"chroot","steps":[' +
    '{"apt":"0.packages","do":"apt","install":["ceph-osd"],"recommends":false,"remove":[]},' +
    '{"argv":["update-grub"],"do":"run"},{"do":"seal","epoch":1}],"tools":"tools"},' +
    '{"mode":"boot","steps":[{"do":"mkdir","mode":"0755","path":"/srv"}]}]}'
  expect(key).toBe(createHash('sha256').update(text).digest('hex'))
  expect(record).toEqual(JSON.parse(text))
})

const keyOf = (changed: Partial<KeyFacts>): string => computeKey({ ...facts, ...changed }).key
const { key } = computeKey(facts)

test('labels are not in the key', () => {
  const steps: Step[] = [{ do: 'run', argv: ['x'] }]
  const labelled: Step[] = [{ do: 'run', argv: ['x'], label: 'late_command' }]
  const phase = { mode: 'chroot', tools: undefined } as const
  expect(keyOf({ phases: [{ ...phase, steps }] })).toBe(keyOf({ phases: [{ ...phase, steps: labelled }] }))
})

test('the order of inputs and parents does not matter', () => {
  const inputs = { '1.files': 'bb', '0.packages': 'aa' }
  expect(keyOf({ inputs, parents: { tools: 'dd', from: 'cc' } })).toBe(key)
})

test.each<[string, Partial<KeyFacts>]>([
  ['architecture', { arch: 'arm64' }],
  ['an input', { inputs: { ...facts.inputs, '1.files': 'bc' } }],
  ['an input more', { inputs: { ...facts.inputs, '1.more': 'bb' } }],
  ['the name a step uses for an input', { inputs: { '0.packages': 'aa', '2.files': 'bb' } }],
  ['a parent', { parents: { ...facts.parents, from: 'ce' } }],
  ['parent and tool tree swapped', { parents: { from: 'dd', tools: 'cc' } }],
  ['the mode', { phases: facts.phases.map((phase) => ({ ...phase, mode: 'chroot' })) }],
  ['the tool tree of a phase', { phases: facts.phases.map((phase) => ({ ...phase, tools: 'tools' })) }],
  ['the order of phases', { phases: facts.phases.toReversed() }],
  [
    'the order of steps',
    { phases: facts.phases.map((phase) => ({ ...phase, steps: phase.steps.toReversed() })) },
  ],
])('%s changes the key', (_, changed) => {
  expect(keyOf(changed)).not.toBe(key)
})

const text = fc.string({ unit: 'grapheme', maxLength: 8 })
const texts = fc.array(text, { maxLength: 3 })
const anyStep: fc.Arbitrary<Step> = fc
  .oneof(
    fc.record({
      do: fc.constant('run' as const),
      argv: fc.array(text, { minLength: 1, maxLength: 3 }),
      stdin: text,
    }),
    fc.record({
      do: fc.constant('apt' as const),
      apt: text,
      install: texts,
      remove: texts,
      recommends: fc.boolean(),
    }),
    fc.record({ do: fc.constant('write' as const), path: text, content: text, mode: text }),
    fc.record({ do: fc.constant('copy' as const), input: text, to: text, owner: text }),
    fc.record({ do: fc.constant('link' as const), path: text, target: text }),
    fc.record({ do: fc.constant('remove' as const), paths: texts }),
    fc.record({
      do: fc.constant('puppet' as const),
      catalog: fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<JsonValue>,
      sources: fc.dictionary(text, text, { maxKeys: 3 }),
      plugins: text,
      input: text,
      keepAgent: fc.boolean(),
    }),
  )
  .filter((step) => !/\p{Surrogate}/u.test(JSON.stringify(step)) && !/\\u[dD]/.test(JSON.stringify(step)))

const keyOfSteps = (steps: readonly Step[]): string =>
  keyOf({ phases: [{ mode: 'chroot', tools: 'tools', steps }] })

test('property: one character more anywhere in a step changes the key', () => {
  const steps = fc.array(anyStep, { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(
      steps,
      fc.nat(),
      fc.constantFrom('x', ' ', '"', '\n', '0', 'é'),
      (given, place, character) => {
        const edited = editOneText(given, place, character)
        expect(keyOfSteps(edited)).not.toBe(keyOfSteps(given))
      },
    ),
  )
})

test('property: the order of object keys does not change the key', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 4 }), (steps) => {
      const turned = steps.map(
        (step) => Object.fromEntries(Object.entries(step).toReversed()) as unknown as Step,
      )
      expect(keyOfSteps(turned)).toBe(keyOfSteps(steps))
    }),
  )
})

test('property: different lists of steps have different keys', () => {
  const steps = fc.array(anyStep, { maxLength: 3 })
  fc.assert(
    fc.property(steps, steps, (a, b) => {
      const [one, two] = [a, b].map((list) => JSON.parse(JSON.stringify(list)) as unknown)
      expect(keyOfSteps(a) === keyOfSteps(b)).toBe(deepEqual(one, two))
    }),
  )
})

function deepEqual(a: unknown, b: unknown): boolean {
  try {
    expect(a).toEqual(b)
    return true
  } catch {
    return false
  }
}

/** One text of the steps, the `place`th of all, with a character put into it. */
function editOneText(steps: readonly Step[], place: number, character: string): Step[] {
  const count = countTexts(steps)
  let left = place % count
  const edit = (value: unknown): unknown => {
    if (typeof value === 'string') {
      if (left-- !== 0) return value
      const characters = Array.from(value)
      return characters.toSpliced(place % (characters.length + 1), 0, character).join('')
    }
    if (Array.isArray(value)) return value.map(edit)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, edit(inner)]))
  }
  return edit(steps) as Step[]
}

function countTexts(value: unknown): number {
  if (typeof value === 'string') return 1
  if (typeof value !== 'object' || value === null) return 0
  return Object.values(value).reduce<number>((sum, inner) => sum + countTexts(inner), 0)
}
