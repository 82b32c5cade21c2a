import type { OpenImage } from '../diff/image-tree.ts'
import type { FoundImage } from '../run/find-image.ts'
import type { Project } from '../run/project.ts'
import type { Call, Command } from './command.ts'
import { withProject } from './with-project.ts'

export const diff: Command = {
  name: 'diff',
  summary: 'say what differs between two images',
  arguments: '<before> [after]',
  options: [
    { flags: '--all', description: 'list files of packages whose version differs, and every line' },
    { flags: '--noise', description: 'show also what any machine rewrites: logs, caches, identities' },
    { flags: '--times', description: 'modification times count, too' },
  ],
  example: 'img diff base:trixie role:ceph-node',
  run: (call, context) =>
    withProject(call, context, async (project) => {
      const { all, noise: withNoise, times } = call.options
      const [{ noise }, { diffImages }, { renderDiff }] = await Promise.all([
        import('../diff/path-patterns.ts'),
        import('../diff/diff-images.ts'),
        import('../diff/render-diff.ts'),
      ])
      const ignore = withNoise === true ? [] : noise
      const two = await findTwo(project, call)
      const difference = await readTwo(two, (one, other) =>
        diffImages(one, other, { ignore, times: times === true }),
      )
      const [{ title: before }, { title: after }] = two
      call.print(
        call.json
          ? { before, after, ...difference }
          : renderDiff(difference, { all: all === true, before, after }),
      )
      return 0
    }),
}

export type TwoImages = readonly [before: FoundImage, after: FoundImage]

/** One argument: the layer's build before the newest, and the newest. */
export async function findTwo(project: Project, call: Call): Promise<TwoImages> {
  const { findImage, findImageBefore } = await import('../run/find-image.ts')
  const [first = '', second] = call.args
  const before = await (second === undefined ? findImageBefore : findImage)(project, first, call.cwd)
  return [before, await findImage(project, second ?? first, call.cwd)]
}

/** Both are open while they are read. */
export async function readTwo<Read>(
  [one, other]: TwoImages,
  read: (before: OpenImage, after: OpenImage) => Read,
): Promise<Read> {
  const { openImage } = await import('../diff/image-tree.ts')
  const before = openImage(await one.path())
  let after: OpenImage | undefined
  try {
    after = openImage(await other.path())
    return read(before, after)
  } finally {
    before.close()
    after?.close()
  }
}
