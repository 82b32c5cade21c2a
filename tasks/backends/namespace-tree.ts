// The digest of a tree while it is still there: tar from the tool tree writes into a named pipe that we read.

import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { constants } from 'node:fs'
import path from 'node:path'
import { failure, type Build } from './namespace-build.ts'
import { tarOptions } from './tool-tree.ts'
import { computeTreeDigest } from './tree-digest.ts'

export async function digestTree(
  build: Build,
  rest: { readonly about: string; readonly filesystemRoots: readonly string[] },
): Promise<string> {
  const pipe = path.join(build.folders.work, 'tree.tar')
  await build.session.run(['rm', '-f', pipe], { quiet: true })
  await build.session.run(['mkfifo', '-m', '0666', pipe], { quiet: true })
  const argv = ['tar', '--create', '--file', pipe, ...tarOptions, '--directory', build.folders.tree, '.']
  // The host's tar: it reads the same bytes, and the image need not be mounted a second time.
  const running = build.session.run(argv, { quiet: true }).then(async (result) => {
    await releaseReader(pipe)
    return result
  })
  const [result, digest] = await Promise.all([
    running,
    computeTreeDigest(createReadStream(pipe, { highWaterMark: 1024 * 1024 }), rest).catch(
      (error: unknown) => {
        if (build.context.signal.aborted) return ''
        throw error
      },
    ),
  ])
  // Sockets are not archived, and that is all a 0 or 1 may mean here.
  if (result.exitCode !== 0) throw await failure(build, 'reading the finished tree', result)
  return digest
}

/** A reader whose writer never came would wait for ever. */
async function releaseReader(pipe: string): Promise<void> {
  try {
    const handle = await open(pipe, constants.O_WRONLY | constants.O_NONBLOCK)
    await handle.close()
  } catch {
    // Nobody reads: it was released already.
  }
}
