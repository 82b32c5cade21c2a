// Lists of paths to leave out, each with the reason why. Pure.

export interface IgnoredPath {
  /** Absolute; `*` and `?` within a part, `**` over parts. */
  readonly pattern: string
  readonly reason: string
}

/** The first that matches; paths come without the leading slash. */
export function matchPaths<Line extends { readonly pattern: string }>(
  list: readonly Line[],
): (path: string) => Line | undefined {
  const compiled = list.map((line) => ({ line, expression: toExpression(line.pattern) }))
  return (path) => compiled.find(({ expression }) => expression.test(`/${path}`))?.line
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
