import { expect, test } from 'vitest'
import { build, renderBuilt, renderNext } from '../../../tasks/commands/build.ts'
import { ImgError } from '../../../tasks/errors.ts'
import { exampleRecord } from '../../rig/example-record.ts'

const key = '0123456789abcdef'

test('nothing to do is one line, the same every time', () => {
  const reused = { name: 'base:a', outcome: { status: 'reused', key, ms: 1 } } as const
  expect(renderBuilt([reused])).toBe('1 layer, cached\n')
  expect(renderBuilt([reused, reused])).toBe('2 layers, all cached\n')
})

test('what was done is a line each, and a count', () => {
  expect(
    renderBuilt([
      { name: 'install:a', outcome: { status: 'reused', key, ms: 1 } },
      { name: 'base:a', outcome: { status: 'built', key, ms: 1000 } },
      { name: 'role:a', outcome: { status: 'failed', error: new ImgError('STEP_FAILED', 'x'), ms: 1 } },
      { name: 'role:b', outcome: { status: 'cancelled', because: 'role:a failed' } },
    ]),
  ).toBe(`base:a  built      0123456789ab
role:a  failed
role:b  cancelled
1 reused, 1 built, 1 failed, 1 cancelled
`)
})

test('a person is told what to do with the last image that was built', () => {
  const disk = { size: 1, diskDigest: '', mapDigest: '', packs: [], dataBytes: 1, addedBytes: 1 }
  const image = exampleRecord({ artifact: { 'disk.raw': disk } })
  const built = { status: 'built', key, ms: 1 } as const
  const base = { name: 'base:a', outcome: built, record: image } as const
  const target = { name: 'docker:a', outcome: built, record: exampleRecord({}) } as const
  expect(renderNext([base, target])).toBe(
    'next: img run base:a boots it; img shell, img test and img export take the same name\n',
  )
  expect(renderNext([{ ...base, record: { ...image, because: ['a.pp changed'] } }])).toBe(
    'next: img diff base:a shows what changed in it\n',
  )
  expect(renderNext([{ ...base, outcome: { ...built, status: 'reused' } }, target])).toBe('')
})

test.each(['0', '-1', '1.5', 'many'])('--jobs %s is refused', (value) => {
  const parse = build.options.find(({ flags }) => flags.includes('--jobs'))?.parse
  expect(parse?.('2')).toBe(2)
  expect(() => parse?.(value)).toThrow(
    expect.objectContaining({
      code: 'USAGE',
      message: `--jobs takes a number above 0, not ${value}`,
      fields: { hint: 'img build --jobs 2', found: value },
    }),
  )
})
