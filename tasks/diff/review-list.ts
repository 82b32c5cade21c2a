// The list of differences somebody has reviewed, one a line, each with the reason why it may be. Pure.

import { ImgError } from '../errors.ts'
import { matchPaths } from './path-patterns.ts'

/**
 * What a line is about. A path alone covers any difference of that file; the others cover less: `text` the very texts
 * that were reviewed, `order` the same lines in another order, `bytecode` the same Python code under another header,
 * `ids` an owner of the same name but another system number. `argument` is a word of the kernel command line, `kernel`
 * a boot entry and `package` a package that differ as a whole, `disk` a trait of a partition.
 */
const reviewForms = [
  'path',
  'text',
  'order',
  'bytecode',
  'ids',
  'package',
  'user',
  'group',
  'setuid',
  'capability',
  'unit',
  'kernel',
  'argument',
  'disk',
] as const

export type ReviewForm = (typeof reviewForms)[number]

export interface ReviewLine {
  readonly form: ReviewForm
  /** `*` and `?` within a part of a path or a name, `**` over parts. */
  readonly pattern: string
  readonly reason: string
  /** Of the list it stands in. */
  readonly line: number
  /** Of `text`: of what textDigest made it. */
  readonly digest?: string
}

/** As it stands in the list, without the reason. */
export const titleOf = ({ form, pattern, digest }: ReviewLine): string =>
  `${form === 'path' ? '' : `${form} `}${pattern}${digest === undefined ? '' : `#${digest}`}`

/** The first line of that form that matches; a path comes with its leading slash. */
export type LineFor = (form: ReviewForm, subject: string) => ReviewLine | undefined

export function lineFinder(list: readonly ReviewLine[]): LineFor {
  const finders = new Map(
    reviewForms.map((form) => {
      // Patterns of names match as paths do, from the slash on.
      const lines = list
        .filter((line) => line.form === form)
        .map((line) => ({ line, pattern: `/${line.pattern.replace(/^\//, '')}` }))
      return [form, matchPaths(lines)] as const
    }),
  )
  return (form, subject) => finders.get(form)?.(subject.replace(/^\//, ''))?.line
}

/**
 * One a line: a path, or a form and what it is about, blanks, the reason. `#` begins a comment, empty lines are none.
 * Throws INPUT_INVALID, also for a line without a reason: the list is what somebody reviewed.
 */
export function parseReviewList(text: string, path: string): readonly ReviewLine[] {
  return text.split('\n').flatMap((line, index) => {
    const trimmed = line.trim()
    if (trimmed === '' || trimmed.startsWith('#')) return []
    return [parseLine(trimmed, { path, line: index + 1 })]
  })
}

interface Place {
  readonly path: string
  readonly line: number
}

function parseLine(text: string, at: Place): ReviewLine {
  const [, first = '', rest = ''] = /^(\S+)\s*(.*)$/.exec(text) ?? []
  if (first.startsWith('/')) return finish('path', { pattern: first, reason: rest }, at)
  const form = reviewForms.find((one) => one === first && one !== 'path')
  if (form === undefined) {
    throw invalid(`${first} is not an absolute path`, at, {
      hint: `write the path in the image, as /etc/hostname, or one of ${reviewForms.slice(1).join(', ')} and a name`,
    })
  }
  const [, pattern = '', reason = ''] = /^(\S*)\s*(.*)$/.exec(rest) ?? []
  if (pathForms.has(form) && !pattern.startsWith('/')) {
    throw invalid(`${form} ${pattern} is not about an absolute path`, at, {
      hint: `write ${form} and the path in the image, as ${form} /etc/hostname`,
    })
  }
  return finish(form, { pattern, reason }, at)
}

const pathForms: ReadonlySet<ReviewForm> = new Set([
  'text',
  'order',
  'bytecode',
  'ids',
  'setuid',
  'capability',
])

function finish(
  form: ReviewForm,
  { pattern, reason }: { readonly pattern: string; readonly reason: string },
  at: Place,
): ReviewLine {
  const written = form === 'path' ? pattern : `${form} ${pattern}`.trimEnd()
  if (reason === '') {
    throw invalid(`${written} has no reason`, at, {
      hint: 'write behind it why this difference does not matter',
    })
  }
  if (form !== 'text') return { form, pattern, reason, line: at.line }
  const [, plain, digest] = /^(.*)#([0-9a-f]{12})$/.exec(pattern) ?? []
  if (plain === undefined || digest === undefined) {
    throw invalid(`${written} does not say which texts were reviewed`, at, {
      hint: `write text PATH#DIGEST; compare shows the digest with the difference`,
    })
  }
  return { form, pattern: plain, digest, reason, line: at.line }
}

const invalid = (message: string, at: Place, { hint }: { readonly hint: string }): ImgError =>
  new ImgError('INPUT_INVALID', `${at.path}:${at.line}: ${message}`, { ...at, hint })
