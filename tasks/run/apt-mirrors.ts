// Where this machine gets packages from: IMG_MIRROR and IMG_SECURITY_MIRROR, else apt's own sources, else the public.

import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import { archives, isUbuntuSuite, publicMirrorOf, type Archive } from './apt-suites.ts'
import { runProgram } from './process.ts'

/** Base URLs without a final slash; `dists/` and `pool/` are below them. */
export type Mirrors = Readonly<Record<Archive, string>>

export async function discoverMirrors(context: RunContext): Promise<Mirrors> {
  const given = mirrorsOfEnvironment(context.env)
  const missing = archives.filter((archive) => given[archive] === undefined)
  const found = missing.length === 0 ? {} : await mirrorsOfApt(context)
  const choose = (archive: Archive): string => given[archive] ?? found[archive] ?? publicMirrorOf(archive)
  return {
    debian: choose('debian'),
    'debian-security': choose('debian-security'),
    ubuntu: choose('ubuntu'),
  }
}

/** For messages: a mirror's URL may carry a user and password. */
export function withoutCredentials(url: string): string {
  return url.replace(/^([a-z]+:\/\/)[^/@]*@/i, '$1')
}

function mirrorsOfEnvironment(env: RunContext['env']): Partial<Mirrors> {
  const main = checkedUrl('IMG_MIRROR', env['IMG_MIRROR'])
  const security = checkedUrl('IMG_SECURITY_MIRROR', env['IMG_SECURITY_MIRROR'])
  return {
    ...(main === undefined ? {} : { debian: main, ubuntu: main }),
    ...(security === undefined ? {} : { 'debian-security': security }),
  }
}

function checkedUrl(name: string, value: string | undefined): string | undefined {
  if (value === undefined || value === '') return undefined
  if (!/^https?:\/\/[^/]/.test(value) || !URL.canParse(value)) {
    throw new ImgError(
      'OPTION_INVALID',
      `${name} is not an http or https URL: ${withoutCredentials(value)}`,
      {
        hint: `set it to the URL above dists/ and pool/, such as http://mirror.example.org/debian`,
      },
    )
  }
  return value.replace(/\/+$/, '')
}

/** A host without apt, or with sources we cannot read over http, simply has nothing to say. */
async function mirrorsOfApt(context: RunContext): Promise<Partial<Record<Archive, string>>> {
  const fields = '$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)|$(LABEL)'
  try {
    const result = await runProgram(['apt-get', 'indextargets', '--format', fields], {
      env: { LC_ALL: 'C' },
      signal: context.signal,
      timeoutMs: 20_000,
    })
    return result.exitCode === 0 ? mirrorsOfTargets(result.stdout) : {}
  } catch (error) {
    if (error instanceof ImgError && error.code === 'TOOL_MISSING') return {}
    throw error
  }
}

/** Pure; the first source of an archive wins, as apt's order does. */
export function mirrorsOfTargets(targets: string): Partial<Record<Archive, string>> {
  const found: Partial<Record<Archive, string>> = {}
  for (const line of targets.split('\n')) {
    const [uri = '', release = '', component = '', origin = '', label = ''] = line.split('|')
    if (!/^https?:\/\//.test(uri)) continue
    const archive = archiveOf({ release, component, origin, label })
    if (archive !== undefined) found[archive] ??= uri.replace(/\/+$/, '')
  }
  return found
}

interface Target {
  readonly release: string
  readonly component: string
  readonly origin: string
  readonly label: string
}

/** Third parties name their suites after Debian's, so the origin decides; before a first update apt knows none. */
function archiveOf({ release, component, origin, label }: Target): Archive | undefined {
  const unknown = origin === '' || origin.startsWith('$(')
  if (!unknown && origin !== 'Debian' && origin !== 'Ubuntu') return undefined
  if (unknown && !component.split('/').includes('main')) return undefined
  if (origin === 'Ubuntu' || (unknown && isUbuntuSuite(release))) return 'ubuntu'
  if (label === 'Debian-Security') return 'debian-security'
  if (!debianSuite.test(release)) return unknown ? undefined : 'debian'
  return /[-/](security|updates)$/.test(release) && !release.endsWith('-updates')
    ? 'debian-security'
    : 'debian'
}

const debianSuite =
  /^(oldoldstable|oldstable|stable|testing|unstable|sid|buster|bullseye|bookworm|trixie|forky|duke)([-/][a-z-]+)?$/
