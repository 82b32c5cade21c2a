// The digest of a tree while it is still there, from the tar stream of it.

import { failure, type Build } from './namespace-build.ts'
import { tarOptions } from './tool-tree.ts'
import { computeTreeDigest } from './tree-digest.ts'

export async function digestTree(
  build: Build,
  rest: { readonly about: string; readonly filesystemRoots: readonly string[] },
): Promise<string> {
  const argv = ['tar', '--create', ...tarOptions, '--directory', build.folders.tree, '.']
  // No program of the image: it reads the same bytes, and the image need not be mounted a second time.
  const { output, ended } = build.session.stream(argv)
  const [digest, result] = await Promise.allSettled([computeTreeDigest(output, rest), ended])
  // A stream that broke off is the consequence; what tar says is the reason.
  if (result.status === 'rejected') throw result.reason
  // Sockets are not archived, and that is all a 0 or 1 may mean here.
  if (result.value.exitCode !== 0) throw await failure(build, 'reading the finished tree', result.value)
  if (digest.status === 'rejected') throw digest.reason
  return digest.value
}
