import { expect, test } from 'vitest'
import type { AptInput } from '../../../tasks/plan/recipe.ts'
import { aptSuitesOf, archives, isUbuntuSuite, publicMirrorOf } from '../../../tasks/run/apt-suites.ts'

const input = (suite: string, updates: boolean, security: boolean): AptInput => ({
  kind: 'apt',
  suite,
  components: ['main'],
  updates,
  security,
})

test.each([
  [input('trixie', false, false), ['debian trixie']],
  [
    input('trixie', true, true),
    ['debian trixie', 'debian trixie-updates', 'debian-security trixie-security'],
  ],
  [input('bookworm', false, true), ['debian bookworm', 'debian-security bookworm-security']],
  [input('sid', true, true), ['debian sid']],
  [input('noble', true, true), ['ubuntu noble', 'ubuntu noble-updates', 'ubuntu noble-security']],
])('%j', (given, expected) => {
  expect(aptSuitesOf(given).map(({ archive, suite }) => `${archive} ${suite}`)).toEqual(expected)
})

test('every archive has a public mirror', () => {
  expect(archives.map((archive) => publicMirrorOf(archive))).toEqual([
    'http://ftp.debian.org/debian',
    'http://security.debian.org/debian-security',
    'http://archive.ubuntu.com/ubuntu',
  ])
})

test('an update suite of Ubuntu is one of Ubuntu', () => {
  expect(['noble-security', 'jammy', 'trixie', 'noblesse'].map((suite) => isUbuntuSuite(suite))).toEqual([
    true,
    true,
    false,
    false,
  ])
})
