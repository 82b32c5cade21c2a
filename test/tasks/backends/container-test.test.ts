import { expect, test } from 'vitest'
import { judge } from '../../../tasks/backends/container-test.ts'

const expected = { packages: ['bash', 'ceph'], services: [] }
const good = [
  'os Debian',
  'package installed bash',
  'package installed ceph',
  'package config-files old',
  'end',
  '',
]

const judged = (lines: readonly string[], exitCode = 0, stderr = ''): readonly string[] =>
  judge({ exitCode, stdout: lines.join('\n'), stderr }, expected).map(
    ({ name, passed, detail }) => `${passed ? 'ok' : 'FAILED'} ${name}: ${detail}`,
  )

test('an image that runs, with its packages and without an identity', () => {
  expect(judged(good)).toEqual([
    'ok runs: Debian',
    'ok no half-installed package: none',
    'ok has its packages: 2 expected, all installed',
    'ok has no identity: none',
  ])
})

test('each of the things that can be wrong', () => {
  const bad = ['os Debian', 'package installed bash', 'audit ceph is half', 'identity /etc/machine-id', 'end']
  expect(judged(bad)).toEqual([
    'ok runs: Debian',
    'FAILED no half-installed package: ceph is half',
    'FAILED has its packages: ceph is not installed',
    'FAILED has no identity: /etc/machine-id',
  ])
  expect(judged([], 127, 'one\nno shell\n')).toEqual(['FAILED runs: ended with 127: no shell'])
  expect(judged(good.slice(0, 2))).toEqual(['FAILED runs: ended with 0: '])
})
