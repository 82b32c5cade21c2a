import { readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { diffImages, isEqual, type ImageDifference } from '../diff/diff-images.ts'
import { renderDiff } from '../diff/render-diff.ts'
import { reviewDifference } from '../diff/review.ts'
import { parseReviewList, titleOf, type ReviewLine } from '../diff/review-list.ts'
import { ImgError } from '../errors.ts'
import { escapeControls } from '../reporters/escape.ts'
import { formatDuration } from '../reporters/format.ts'
import { keepDifference, noteComparison, readDifference, type ComparisonOptions } from '../run/comparisons.ts'
import type { Project } from '../run/project.ts'
import type { Command } from './command.ts'
import { findTwo, readTwo, type TwoImages } from './diff.ts'
import { withProject } from './with-project.ts'

export const compare: Command = {
  name: 'compare',
  summary: 'prove that two images are the same but for a reviewed list',
  arguments: '<before> <after>',
  options: [
    {
      flags: '--ignore <file>',
      description: 'differences and reasons, one a line, instead of compare.ignore beside the imgfile',
    },
    { flags: '--times', description: 'modification times count, too' },
    { flags: '--again', description: 'compare also what was compared before' },
  ],
  example: 'img compare role:ceph-node-di role:ceph-node',
  run: (call, context) =>
    withProject(call, context, async (project) => {
      const { ignore: given, times } = call.options
      const list = readList(context.root, typeof given === 'string' ? resolve(call.cwd, given) : undefined)
      const two = await findTwo(project, call)
      const kept = await compareTwo(project, two, {
        options: { list, times: times === true },
        again: call.options['again'] === true,
      })
      const [{ title: before }, { title: after }] = two
      const { difference } = kept
      const result = {
        before,
        after,
        ...kept,
        equal: isEqual(difference),
        unused: unusedOf(list, difference),
      }
      call.print(call.json ? toJson(result) : render(result, context.now()))
      return result.equal ? 0 : 1
    }),
}

/** Of two builds the answer is kept, and taken instead of reading the disks again. */
async function compareTwo(
  { store, context }: Project,
  two: TwoImages,
  { options, again }: { readonly options: ComparisonOptions; readonly again: boolean },
): Promise<Pick<Compared, 'difference' | 'when' | 'cached'>> {
  const [before, after] = two.map(({ build }) => build)
  const question =
    before === undefined || after === undefined
      ? undefined
      : ({ ...options, disks: [before.diskDigest, after.diskDigest] } as const)
  const known = question === undefined || again ? undefined : await readDifference(store, question)
  const found = known ?? { when: context.now(), difference: await proveTwo(two, options) }
  if (before !== undefined && after !== undefined && question !== undefined) {
    if (known === undefined) await keepDifference(store, question, found)
    const { difference, when } = found
    await noteComparison(
      store,
      { before: before.record, after: after.record },
      {
        when,
        equal: isEqual(difference),
        differing: difference.files.length,
        reviewed: reviewedIn(difference),
      },
    )
  }
  return { ...found, cached: known !== undefined }
}

const proveTwo = (two: TwoImages, { list, times }: ComparisonOptions): Promise<ImageDifference> =>
  readTwo(two, (before, after) =>
    reviewDifference(diffImages(before, after, { ignore: [], times }), [before, after], list),
  )

/** One thing may need several lines. */
const reviewedIn = ({ ignored }: ImageDifference): number => new Set(ignored.map(({ path }) => path)).size

interface Compared {
  readonly before: string
  readonly after: string
  readonly difference: ImageDifference
  /** Milliseconds since 1970. */
  readonly when: number
  /** Found before, with the same disks and the same list. */
  readonly cached: boolean
  readonly equal: boolean
  /** Lines of the list, without their reasons, that no difference needs. */
  readonly unused: readonly string[]
}

function readList(root: string, given: string | undefined): readonly ReviewLine[] {
  const path = given ?? join(root, 'compare.ignore')
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === true)
    return parseReviewList(readFileSync(path, 'utf8'), path)
  if (given === undefined) return []
  throw new ImgError('INPUT_MISSING', `there is no file ${path}`, { path, hint: 'check what --ignore says' })
}

function unusedOf(list: readonly ReviewLine[], { ignored }: ImageDifference): readonly string[] {
  const used = new Set(ignored.map(({ pattern }) => pattern))
  return list.map(titleOf).filter((title) => !used.has(title))
}

const butFor = (count: number): string =>
  count === 0 ? '' : ` but for ${count} reviewed ${count === 1 ? 'difference' : 'differences'}`

function toJson({ difference, ...result }: Compared): unknown {
  return { ...result, ...difference }
}

/** Pure. Every ignored difference is named with its reason: that is what was proven. */
export function render(compared: Compared, now: number): string {
  const { before, after, equal, unused, difference, when, cached } = compared
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
      ? escapeControls(`${before} and ${after} are the same${butFor(reviewedIn(difference))}\n`)
      : renderDiff(differing, { all: true, before, after }),
    ...(reviewed.length === 0 ? [] : ['differences left out on purpose\n', ...reviewed]),
    ...(unused.length === 0 ? [] : [`no longer needed in the list: ${unused.join(', ')}\n`]),
    ...(cached
      ? [
          `cached: compared ${formatDuration(Math.max(0, now - when))} ago; --again reads the disks once more\n`,
        ]
      : []),
  ].join('')
}
