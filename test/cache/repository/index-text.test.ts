import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  parseIndexText,
  renderIndexText,
  signedPart,
  type IndexSection,
} from '../../../cache/repository/index-text.ts'

test('sections, fields, languages, continued lines and comments', () => {
  const text = `# ours
[ceph-node]  
name=Ceph = storage
checksum[sha512]=abc

notes=one
 two
\t three
# no note
notes[no]=en
[empty]
`
  expect(parseIndexText(text)).toEqual([
    {
      id: 'ceph-node',
      fields: [
        { key: 'name', value: 'Ceph = storage' },
        { key: 'checksum', subkey: 'sha512', value: 'abc' },
        { key: 'notes', value: 'one\ntwo\n three' },
        { key: 'notes', subkey: 'no', value: 'en' },
      ],
    },
    { id: 'empty', fields: [] },
  ])
  expect(parseIndexText('')).toEqual([])
})

test.each([
  ['[a]\nname = A\n', 2, '"name = A" is neither a section nor a field'],
  ['name=A\n', 1, 'name= stands before the first section'],
  [' name=A\n', 1, 'a continued line has nothing before it'],
  ['[a]\nname=A\nname=B\n', 3, '[a] has name twice'],
  ['[a b]\n', 1, '"[a b]" is neither a section nor a field'],
  ['[a]\nname=A', 2, 'the last line does not end'],
])('%j is refused', (text, line, message) => {
  expect(() => parseIndexText(text)).toThrow(expect.objectContaining({ line, message }))
})

const key = fc.stringMatching(/^[A-Za-z0-9_.]{1,8}$/)
// An empty line within a value would be one of white space, which is refused.
const line = fc.stringMatching(/^[\x20-\x7eæøå]{0,20}[\x21-\x7eå]$/)
const field = fc.record(
  {
    key,
    subkey: fc.stringMatching(/^[A-Za-z0-9_,.]{1,4}$/),
    value: fc.array(line, { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: ['key', 'value'] },
)
const section = fc.record({
  id: fc.stringMatching(/^[A-Za-z0-9._][-A-Za-z0-9._]{0,8}$/),
  fields: fc.uniqueArray(field, { selector: (one) => `${one.key}[${one.subkey}`, maxLength: 5 }),
})

test('what is rendered is read back as it was', () => {
  fc.assert(
    fc.property(fc.array(section, { maxLength: 4 }), (made) => {
      const sections: readonly IndexSection[] = made.map(({ id, fields }) => ({
        id,
        fields: fields.map((one) => ({ ...one, value: one.value.join('\n') })),
      }))
      expect(parseIndexText(renderIndexText(sections))).toEqual(sections)
    }),
  )
})

test.each([
  [[{ id: 'a', fields: [{ key: 'name', value: 'A ' }] }], '"name=A " ends in white space'],
  [[{ id: 'a', fields: [{ key: 'name', value: 'A\r' }] }], '"name=A\\r" ends in white space'],
  [[{ id: 'a', fields: [{ key: 'notes', value: 'A\n\nB' }] }], '" " ends in white space'],
  [[{ id: 'a b', fields: [] }], '"[a b]" is neither a section nor a field'],
  [[{ id: 'a', fields: [{ key: '-name', value: 'A' }] }], '"-name=A" begins with a dash'],
] as const)('%j cannot be written', (sections, message) => {
  expect(() => renderIndexText(sections)).toThrow(message)
})

test('the signed part is what virt-builder reads, of one message alone', () => {
  const signed =
    '-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n[a]\nname=A\n-----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----\n'
  expect(signedPart(signed)).toBe('[a]\nname=A\n')
  expect(signedPart(`\n${signed}`)).toBeUndefined()
  expect(signedPart(`${signed}more`)).toBeUndefined()
  expect(signedPart(signed + signed)).toBeUndefined()
  expect(signedPart('[a]\n')).toBeUndefined()
})
