// The tool tree as a layer and as a folder: packed normalised at the end of its build, unpacked once for use.

import { mkdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import { runOnHost, type Build } from './namespace-build.ts'
import { openNamespace } from './namespace-session.ts'

/** The tree as `root.tar`: sorted, numeric owners, attributes. */
export async function packTools(build: Build): Promise<string> {
  const { tree, work } = build.folders
  // A folder has the date of the package that was unpacked last into it, and the order is the host's apt's.
  const folders = ['find', tree, '-type', 'd', '-exec', 'touch', `--date=@${build.epoch}`, '{}', '+']
  await runOnHost(build, folders, { what: 'setting dates of folders' })
  const file = path.join(work, 'root.tar')
  const argv = ['tar', '--create', '--file', file, ...tarOptions, '--directory', tree, '.']
  await runOnHost(build, argv, { what: 'packing the tool tree' })
  return file
}

/** How trees become tar streams, here and for tree digests. */
export const tarOptions: readonly string[] = [
  '--format=posix',
  '--sort=name',
  '--numeric-owner',
  '--xattrs',
  '--xattrs-include=*',
  '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime',
]

/** `directory` appears whole or not at all. Without root its files belong to the user's subordinate ids. */
export async function unpackTools(tar: string, directory: string, context: RunContext): Promise<void> {
  const incoming = `${directory}.incoming`
  const session = await openNamespace({
    directory: `${directory}.session`,
    userNamespace: context.uid !== 0,
    signal: context.signal,
  })
  try {
    await mkdir(path.dirname(directory), { recursive: true })
    await session.run(['rm', '-rf', '--', incoming])
    await mkdir(incoming)
    const argv = ['tar', '--extract', '--file', tar, '--directory', incoming]
    const result = await session.run([
      ...argv,
      '--numeric-owner',
      '--same-permissions',
      '--same-owner',
      '--xattrs',
      '--xattrs-include=*',
    ])
    if (result.exitCode !== 0) {
      throw new ImgError('STEP_FAILED', 'cannot unpack the tool tree', {
        path: directory,
        output: result.stderr.trim(),
        hint: 'see that the cache has space left: run `img cache`',
      })
    }
    await rename(incoming, directory)
  } finally {
    await session.close()
    await rm(`${directory}.session`, { recursive: true, force: true })
  }
}
