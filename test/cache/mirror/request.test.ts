import { array, assert, constantFrom, property } from 'fast-check'
import { expect, test } from 'vitest'
import { readAptRequest } from '../../../cache/mirror/request.ts'

const sha256 = 'ab'.repeat(32)

test.each([
  ['/t/debian/dists/trixie/InRelease', { kind: 'release', archive: 'debian', suite: 'trixie' }],
  [
    '/t/debian-security/dists/trixie-security/main/binary-amd64/Packages.xz',
    {
      kind: 'index',
      archive: 'debian-security',
      suite: 'trixie-security',
      path: 'main/binary-amd64/Packages.xz',
    },
  ],
  [
    `/t/ubuntu/dists/noble/main/binary-amd64/by-hash/SHA256/${sha256}`,
    { kind: 'digest', archive: 'ubuntu', suite: 'noble', sha256 },
  ],
  [
    '/t/debian/pool/main/g/gcc/libstdc%2b%2b6_14~1_amd64.deb?x=1',
    { kind: 'package', archive: 'debian', file: 'pool/main/g/gcc/libstdc++6_14~1_amd64.deb' },
  ],
  ['/t/other/dists/trixie/InRelease', { kind: 'refused', reason: 'no such archive' }],
  ['/t/debian/dists/trixie', { kind: 'refused', reason: 'neither below dists/ nor below pool/' }],
  ['/t/debian/pool', { kind: 'refused', reason: 'neither below dists/ nor below pool/' }],
  ['/x/debian/dists/trixie/InRelease', { kind: 'refused', reason: 'not a path of this mirror' }],
  ['/t/debian/pool//x', { kind: 'refused', reason: 'not a path of this mirror' }],
  ['/t/debian/pool/%2E%2E/x', { kind: 'refused', reason: 'not a path of this mirror' }],
  ['/t/debian/pool/a%2fb/x', { kind: 'refused', reason: 'not a path of this mirror' }],
  ['/t/debian/pool/a%00/x', { kind: 'refused', reason: 'not a path of this mirror' }],
  ['/t/debian/pool/%/x', { kind: 'refused', reason: 'not a path of this mirror' }],
  ['', { kind: 'refused', reason: 'not a path of this mirror' }],
])('%s', (path, expected) => {
  expect(readAptRequest(path, 't')).toEqual(expected)
})

test('whatever is asked, a package path never climbs', () => {
  const part = constantFrom('..', '.', '%2e', '%2e%2e', 'pool', 'a', '', '%5c', '%2f')
  assert(
    property(array(part, { maxLength: 8 }), (parts) => {
      const asked = readAptRequest(`/t/debian/pool/${parts.join('/')}`, 't')
      const file = asked.kind === 'package' ? asked.file : 'pool'
      expect(new URL(`http://m/base/${file}`).pathname).toBe(`/base/${file}`)
    }),
  )
})
