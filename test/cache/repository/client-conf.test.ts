import { expect, test } from 'vitest'
import { renderClientConf } from '../../../cache/repository/client-conf.ts'

const conf = {
  name: 'images',
  uri: 'https://images.example.com/index.asc',
  keyFile: '/etc/virt-builder/images.gpg',
}

test('a source always names its key', () => {
  expect(renderClientConf(conf)).toBe(`[images]
uri=https://images.example.com/index.asc
gpgkey=file:///etc/virt-builder/images.gpg
proxy=system
`)
})

test.each([
  [{ name: 'a]\ngpgkey=' }, '"a]\\ngpgkey=" cannot be the name of a source in a virt-builder configuration'],
  [
    { uri: 'images/index.asc' },
    '"images/index.asc" cannot be the address of an index in a virt-builder configuration',
  ],
  [{ keyFile: 'key.gpg' }, '"key.gpg" cannot be the place of a key in a virt-builder configuration'],
  [{ keyFile: '' }, '"" cannot be the place of a key in a virt-builder configuration'],
])('%j is refused', (change, message) => {
  expect(() => renderClientConf({ ...conf, ...change })).toThrow(
    expect.objectContaining({
      code: 'USAGE',
      message,
      fields: { hint: 'choose one without white space and without # ? %', found: Object.values(change)[0] },
    }),
  )
})
