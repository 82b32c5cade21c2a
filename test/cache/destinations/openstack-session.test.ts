import { expect, test } from 'vitest'
import { checkEncryption } from '../../../cache/destinations/openstack-session.ts'

test('a token of an encrypted keystone goes nowhere in clear', () => {
  const [closed, open] = [new URL('https://cloud.example.org/v3'), new URL('http://cloud.example.org/v2/')]
  expect(() => checkEncryption(closed, open)).toThrow(
    'http://cloud.example.org/v2/ is not encrypted, though https://cloud.example.org/v3 is',
  )
  checkEncryption(open, open)
  checkEncryption(closed, closed)
})
