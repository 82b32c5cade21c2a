// What reading an answer file says about it, besides the settings: errors stop the build, warnings are shown.

import { ImgError } from '../tasks/errors.ts'

export interface Finding {
  readonly severity: 'error' | 'warning'
  /** 1-based; the first line of a continued one. 0 is the file as a whole. */
  readonly line: number
  readonly message: string
  /** One sentence: the next step. */
  readonly hint: string
}

/** Throws one PRESEED_INVALID for all errors among the findings, if there are any. */
export function refuseErrors(findings: readonly Finding[], path: string): void {
  const errors = findings.filter(({ severity }) => severity === 'error')
  const [first] = errors
  if (first === undefined) return
  const place = first.line === 0 ? { path } : { path, line: first.line }
  if (errors.length === 1) {
    throw new ImgError('PRESEED_INVALID', first.message, { hint: first.hint, ...place })
  }
  const list = errors.map(
    ({ line, message, hint }) => `\n  ${line === 0 ? '' : `line ${line}: `}${message} (${hint})`,
  )
  throw new ImgError('PRESEED_INVALID', `${errors.length} errors in the answer file:${list.join('')}`, {
    hint: 'correct them in the file',
    ...place,
  })
}
