// Lists of paths to leave out, each with the reason why. Pure.

import { ImgError } from '../errors.ts'

export interface IgnoredPath {
  /** Absolute; `*` and `?` within a part, `**` over parts. */
  readonly pattern: string
  readonly reason: string
  /** Of the list it stands in. */
  readonly line?: number
}

export type Ignored = (path: string) => IgnoredPath | undefined

/** The first that matches; paths come without the leading slash. */
export function matchPaths(list: readonly IgnoredPath[]): Ignored {
  const compiled = list.map((ignored) => ({ ignored, expression: toExpression(ignored.pattern) }))
  return (path) => compiled.find(({ expression }) => expression.test(`/${path}`))?.ignored
}

/**
 * One a line: the pattern, blanks, the reason. `#` begins a comment, empty lines are none. A pattern without a reason is
 * INPUT_INVALID: the list is what somebody reviewed.
 */
export function parseIgnoreList(text: string, path: string): readonly IgnoredPath[] {
  return text.split('\n').flatMap((line, index) => {
    const [, pattern = '', reason = ''] = /^\s*(\S+)\s*(.*?)\s*$/.exec(line) ?? []
    if (pattern === '' || pattern.startsWith('#')) return []
    const at = { path, line: index + 1 }
    if (!pattern.startsWith('/')) {
      throw new ImgError('INPUT_INVALID', `${path}:${at.line}: ${pattern} is not an absolute path`, {
        ...at,
        hint: 'write the path in the image, as /etc/hostname',
      })
    }
    if (reason === '') {
      throw new ImgError('INPUT_INVALID', `${path}:${at.line}: ${pattern} has no reason`, {
        ...at,
        hint: 'write behind the pattern why this difference does not matter',
      })
    }
    return [{ pattern, reason, line: at.line }]
  })
}

function toExpression(pattern: string): RegExp {
  const source = pattern.replaceAll(/\*\*|[*?]|[.+^${}()|[\]\\]/g, (found) => {
    if (found === '**') return '.*'
    if (found === '*') return '[^/]*'
    return found === '?' ? '[^/]' : `\\${found}`
  })
  return new RegExp(`^${source}$`, 's')
}

/** What a machine or a tool rewrites whenever it likes; nobody who compares two images asks for it. */
export const noise: readonly IgnoredPath[] = [
  ['/etc/machine-id', 'identity of a machine'],
  ['/var/lib/dbus/machine-id', 'identity of a machine'],
  ['/etc/ssh/ssh_host_*', 'identity of a machine'],
  ['/var/lib/systemd/random-seed', 'identity of a machine'],
  ['/var/lib/systemd/credential.secret', 'identity of a machine'],
  ['/var/log/**', 'logs'],
  ['/var/cache/**', 'caches'],
  ['/var/lib/apt/lists/**', 'caches'],
  ['/var/lib/apt/periodic/**', 'caches'],
  ['/var/lib/systemd/catalog/database', 'caches'],
  ['/var/lib/systemd/timers/**', 'state of a running machine'],
  ['/var/lib/dhcp/**', 'state of a running machine'],
  ['/var/lib/systemd/deb-systemd-helper-*/**', 'bookkeeping of package scripts'],
  ['/etc/.updated', 'state of a running machine'],
  ['/var/.updated', 'state of a running machine'],
  ['/etc/.pwd.lock', 'state of a running machine'],
  ['/tmp/**', 'temporary files'],
  ['/var/tmp/**', 'temporary files'],
  ['/run/**', 'temporary files'],
  ['/var/lib/dpkg/*-old', 'copies of what a tool changed'],
  ['/etc/passwd-', 'copies of what a tool changed'],
  ['/etc/shadow-', 'copies of what a tool changed'],
  ['/etc/group-', 'copies of what a tool changed'],
  ['/etc/gshadow-', 'copies of what a tool changed'],
  ['/etc/subuid-', 'copies of what a tool changed'],
  ['/etc/subgid-', 'copies of what a tool changed'],
  ['/root/.*_history', 'what somebody typed'],
  ['/**/__pycache__/**', 'caches'],
].map(([pattern = '', reason = '']) => ({ pattern, reason }))
