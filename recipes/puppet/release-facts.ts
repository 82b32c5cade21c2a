// What facter would say of a release. Declared, not asked: the machine that builds is not the machine that runs.

import type { JsonValue } from '../../tasks/plan/step.ts'

/** The fact `os`; without its version for a release not listed here, whose manifests need `facts: { os: … }`. */
export function releaseFacts(suite: string): Readonly<Record<string, JsonValue>> {
  const name = ubuntu[suite] === undefined ? 'Debian' : 'Ubuntu'
  const version = debian[suite] ?? ubuntu[suite]
  const release = version === undefined ? {} : { release: { full: version, major: version } }
  return { os: { name, family: 'Debian', distro: { codename: suite, id: name, ...release }, ...release } }
}

const debian: Readonly<Record<string, string>> = { bullseye: '11', bookworm: '12', trixie: '13', forky: '14' }

const ubuntu: Readonly<Record<string, string>> = { jammy: '22.04', noble: '24.04' }
