// Pure. Which suites of which archives stand behind one apt input, and where the public has them.

import type { AptInput } from '../plan/recipe.ts'

/** What has a mirror of its own. A name, never a host: hosts differ between machines, the state does not. */
export type Archive = 'debian' | 'debian-security' | 'ubuntu'

export interface AptSuite {
  readonly archive: Archive
  readonly suite: string
}

export const archives: readonly Archive[] = ['debian', 'debian-security', 'ubuntu']

/** Release first, then what updates it: the order of sources, and so of apt's choice between equal versions. */
export function aptSuitesOf(input: AptInput): readonly AptSuite[] {
  const ubuntu = isUbuntuSuite(input.suite)
  const archive = ubuntu ? 'ubuntu' : 'debian'
  const suites: AptSuite[] = [{ archive, suite: input.suite }]
  if (!ubuntu && rolling.has(input.suite)) return suites
  if (input.updates) suites.push({ archive, suite: `${input.suite}-updates` })
  if (input.security) {
    suites.push({ archive: ubuntu ? 'ubuntu' : 'debian-security', suite: `${input.suite}-security` })
  }
  return suites
}

export function isUbuntuSuite(suite: string): boolean {
  return ubuntuSuites.has(suite.split('-')[0] ?? suite)
}

export function publicMirrorOf(archive: Archive): string {
  return publicMirrors[archive]
}

const publicMirrors: Readonly<Record<Archive, string>> = {
  debian: 'http://ftp.debian.org/debian',
  'debian-security': 'http://security.debian.org/debian-security',
  ubuntu: 'http://archive.ubuntu.com/ubuntu',
}

/** Suites that are their own updates. */
const rolling: ReadonlySet<string> = new Set(['sid', 'unstable', 'experimental'])

const ubuntuSuites: ReadonlySet<string> = new Set(
  'trusty xenial bionic focal jammy kinetic lunar mantic noble oracular plucky questing resolute devel'.split(
    ' ',
  ),
)
