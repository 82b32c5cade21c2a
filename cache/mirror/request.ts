// Pure. What apt asks for, by the path of its request.

import { archives, type Archive } from '../../tasks/run/apt-suites.ts'

export type AptRequest =
  | { readonly kind: 'release'; readonly archive: Archive; readonly suite: string }
  | { readonly kind: 'index'; readonly archive: Archive; readonly suite: string; readonly path: string }
  | { readonly kind: 'digest'; readonly archive: Archive; readonly suite: string; readonly sha256: string }
  | { readonly kind: 'package'; readonly archive: Archive; readonly file: string }
  | { readonly kind: 'refused'; readonly reason: string }

/** `/TOKEN/debian/dists/trixie/InRelease`; without the token of this build, nobody gets anything. */
export function readAptRequest(url: string, token: string): AptRequest {
  const parts = decoded(url.split('?')[0] ?? '')
  if (parts === undefined || parts.shift() !== '' || parts.shift() !== token)
    return refuse('not a path of this mirror')
  const archive = archives.find((name) => name === parts[0])
  const [, folder, suite = '', ...rest] = parts
  if (archive === undefined) return refuse('no such archive')
  if (folder === 'pool' && rest.length > 0)
    return { kind: 'package', archive, file: parts.slice(1).join('/') }
  if (folder !== 'dists' || rest.length === 0) return refuse('neither below dists/ nor below pool/')
  const path = rest.join('/')
  if (path === 'InRelease') return { kind: 'release', archive, suite }
  if (!path.includes('/by-hash/')) return { kind: 'index', archive, suite, path }
  const [sha256 = '', algorithm] = rest.toReversed()
  if (algorithm !== 'SHA256' || !/^[0-9a-f]{64}$/.test(sha256))
    return refuse('only SHA256 digests are known here')
  return { kind: 'digest', archive, suite, sha256 }
}

function refuse(reason: string): AptRequest {
  return { kind: 'refused', reason }
}

/** No part may climb, be empty or hide a slash: the path is appended to the mirror's URL. */
function decoded(path: string): string[] | undefined {
  let parts: string[]
  try {
    parts = path.split('/').map((part) => decodeURIComponent(part))
  } catch {
    return undefined
  }
  const bad = parts
    .slice(1)
    .some((part) => part === '' || part === '.' || part === '..' || /[/\\\p{Cc}]/u.test(part))
  return bad ? undefined : parts
}
