import { readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { isEqual, type ImageDifference } from '../diff/diff-images.ts'
import { parseIgnoreList, type IgnoredPath } from '../diff/path-patterns.ts'
import { renderDiff } from '../diff/render-diff.ts'
import { ImgError } from '../errors.ts'
import { escapeControls } from '../reporters/escape.ts'
import type { Command } from './command.ts'
import { diffTwo } from './diff.ts'
import { withProject } from './with-project.ts'

export const compare: Command = {
  name: 'compare',
  summary: 'prove that two images are the same but for a reviewed list',
  arguments: '<before> <after>',
  options: [
    {
      flags: '--ignore <file>',
      description: 'paths and reasons, one a line, instead of compare.ignore beside the imgfile',
    },
    { flags: '--times', description: 'modification times count, too' },
  ],
  example: 'img compare role:ceph-node-di role:ceph-node',
  run: (call, context) =>
    withProject(call, context, async (project) => {
      const { ignore: given, times } = call.options
      const list = readList(context.root, typeof given === 'string' ? resolve(call.cwd, given) : undefined)
      const two = await diffTwo(project, call, { ignore: list, times: times === true })
      // What was left out of the files is also what the facts were read from.
      const difference = { ...two.difference, facts: factsOutside(two.difference) }
      const result = { ...two, difference, equal: isEqual(difference), unused: unusedOf(list, difference) }
      const [before, after] = two.keys
      if (before !== undefined && after !== undefined) {
        const stored = {
          before,
          after,
          when: context.now(),
          equal: result.equal,
          ignored: difference.ignored,
        }
        await project.store.writeValue(`compared:${before}:${after}`, JSON.stringify(stored))
      }
      call.print(call.json ? toJson(result) : render(result))
      return result.equal ? 0 : 1
    }),
}

interface Compared {
  readonly before: string
  readonly after: string
  readonly difference: ImageDifference
  readonly equal: boolean
  /** Patterns of the list that matched nothing. */
  readonly unused: readonly string[]
}

/** Facts are read from files: without a difference in files that count, theirs were reviewed with the list. */
function factsOutside({ facts, files, disk }: ImageDifference): ImageDifference['facts'] {
  return files.length === 0 && disk.length === 0 ? {} : facts
}

function readList(root: string, given: string | undefined): readonly IgnoredPath[] {
  const path = given ?? join(root, 'compare.ignore')
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === true)
    return parseIgnoreList(readFileSync(path, 'utf8'), path)
  if (given === undefined) return []
  throw new ImgError('INPUT_MISSING', `there is no file ${path}`, { path, hint: 'check what --ignore says' })
}

function unusedOf(list: readonly IgnoredPath[], { ignored }: ImageDifference): readonly string[] {
  const used = new Set(ignored.map(({ pattern }) => pattern))
  return list.map(({ pattern }) => pattern).filter((pattern) => !used.has(pattern))
}

function toJson({ before, after, equal, unused, difference }: Compared): unknown {
  return { before, after, equal, unused, ...difference }
}

/** Pure. Every ignored difference is named with its reason: that is what was proven. */
export function render({ before, after, equal, unused, difference }: Compared): string {
  const byPattern = new Map<string, { readonly reason: string; readonly paths: string[] }>()
  for (const { path, pattern, reason } of difference.ignored) {
    const group = byPattern.get(pattern) ?? { reason, paths: [] }
    group.paths.push(path)
    byPattern.set(pattern, group)
  }
  const reviewed = [...byPattern].map(
    ([pattern, { reason, paths }]) => `  ${pattern} (${paths.length}): ${reason}\n`,
  )
  const differing = { ...difference, ignored: [] }
  return [
    equal
      ? escapeControls(`${before} and ${after} are the same\n`)
      : renderDiff(differing, { all: true, before, after }),
    ...(reviewed.length === 0 ? [] : ['differences left out on purpose\n', ...reviewed]),
    ...(unused.length === 0 ? [] : [`no longer needed in the list: ${unused.join(', ')}\n`]),
  ].join('')
}
