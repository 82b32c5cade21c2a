import { expect, test } from 'vitest'
import { defaultTools } from '../../recipes/tools.ts'
import { virtBuilder } from '../../recipes/virt-builder.ts'
import { factsOf } from './facts.ts'
import { stepsOf } from './steps-of.ts'

const source = 'https://images.example.org/index.asc'
const fingerprint = '0123456789ABCDEF0123456789ABCDEF01234567'

test('a template of a repository begins a disk', () => {
  const recipe = virtBuilder({ source, template: 'debian-13', keyFile: 'images.gpg', size: '8G' })
  expect(recipe).toMatchObject({ mode: 'chroot', parent: 'none', tools: defaultTools })
  expect(recipe.inputs).toEqual({
    template: {
      kind: 'template',
      source,
      template: 'debian-13',
      arch: 'x86_64',
      trust: { keyFile: 'images.gpg' },
    },
  })
  expect(stepsOf(recipe).steps).toEqual([
    {
      do: 'virt-builder',
      input: 'template',
      template: 'debian-13',
      arch: 'x86_64',
      size: 8 * 1024 ** 3,
      firstboot: [],
    },
  ])
})

test('without a source the parent is the template', () => {
  const recipe = virtBuilder({ firstboot: ['firstboot/join.sh'] })
  expect(recipe).toMatchObject({
    parent: 'template',
    inputs: { firstboot0: { kind: 'text', path: 'firstboot/join.sh' } },
  })
  expect(recipe.steps(factsOf('true\n'))).toEqual([
    {
      do: 'virt-builder',
      template: 'parent',
      arch: 'x86_64',
      firstboot: [{ label: 'firstboot/join.sh', content: 'true\n' }],
    },
  ])
})

test.each([
  [
    { source, template: 'a' },
    'virtBuilder: neither fingerprint nor keyFile given',
    'say by one of them who signs the source: nothing unsigned is ever built from',
  ],
  [
    { source, template: 'a', fingerprint, keyFile: 'a.gpg' },
    'virtBuilder: both fingerprint and keyFile given',
    'say by one of them who signs the source: nothing unsigned is ever built from',
  ],
  [{ source, fingerprint }, 'virtBuilder: the option "template" is missing', 'name a template of the source'],
  [{ template: 'a' }, 'virtBuilder: template goes with a source', 'add source: the address of index.asc'],
  [{ fingerprint }, 'virtBuilder: fingerprint goes with a source', 'add source: the address of index.asc'],
  [
    { source, template: 'a', fingerprint: '01234567' },
    'virtBuilder: "fingerprint" is "01234567", not a fingerprint of forty hex digits',
    'correct fingerprint',
  ],
  [{ size: '8' }, 'virtBuilder: "size" is "8", not a size such as \'4G\' or \'900M\'', 'correct size'],
])('%j is refused', (options, message, hint) => {
  expect(() => virtBuilder(options)).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', message, fields: expect.objectContaining({ hint }) }),
  )
})
