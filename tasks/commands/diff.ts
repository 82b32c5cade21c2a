import type { ImageDifference } from '../diff/diff-images.ts'
import type { OpenImage } from '../diff/image-tree.ts'
import type { IgnoredPath } from '../diff/path-patterns.ts'
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
      const [{ noise }, { renderDiff }] = await Promise.all([
        import('../diff/path-patterns.ts'),
        import('../diff/render-diff.ts'),
      ])
      const ignore = withNoise === true ? [] : noise
      const { difference, before, after } = await diffTwo(project, call, { ignore, times: times === true })
      call.print(
        call.json
          ? { before, after, ...difference }
          : renderDiff(difference, { all: all === true, before, after }),
      )
      return 0
    }),
}

export interface TwoImages {
  readonly difference: ImageDifference
  /** What is compared, for people. */
  readonly before: string
  readonly after: string
  /** Keys of those that are builds. */
  readonly keys: readonly (string | undefined)[]
}

/** One argument: the layer's build before the newest, and the newest. */
export async function diffTwo(
  project: Project,
  call: Call,
  options: { readonly ignore: readonly IgnoredPath[]; readonly times: boolean },
): Promise<TwoImages> {
  const [{ findImage, findImageBefore }, { openImage }, { diffImages }] = await Promise.all([
    import('../run/find-image.ts'),
    import('../diff/image-tree.ts'),
    import('../diff/diff-images.ts'),
  ])
  const [first = '', second] = call.args
  const one = await (second === undefined ? findImageBefore : findImage)(project, first, call.cwd)
  const other = await findImage(project, second ?? first, call.cwd)
  const before = openImage(one.path)
  let after: OpenImage | undefined
  try {
    after = openImage(other.path)
    const difference = diffImages(before, after, options)
    const keys = [one.record?.key, other.record?.key]
    return { difference, before: one.title, after: other.title, keys }
  } finally {
    before.close()
    after?.close()
  }
}
