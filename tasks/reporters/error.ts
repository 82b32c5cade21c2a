// How an error looks to people and to programs. Pure.

import { exitCodeOf, ImgError } from '../errors.ts'
import { suggest } from '../plan/suggest.ts'
import { escapeControls, outputLines } from './escape.ts'
import { fitLines } from './fit-lines.ts'

export interface ErrorRendering {
  readonly json: boolean
  /** Whatever is thrown after an interrupt is a consequence of it. */
  readonly interrupted: boolean
  /** Of the terminal it is shown in, if it is one. */
  readonly columns?: number
}

export function renderError(error: unknown, rendering: ErrorRendering): string {
  const known = toImgError(error, rendering.interrupted)
  if (rendering.json) return `${JSON.stringify({ error: errorToJson(known ?? error) })}\n`
  return known === undefined
    ? renderBug(error)
    : `${fitLines(errorLines(known).join('\n'), rendering.columns)}\n`
}

export function errorStatus(error: unknown, interrupted: boolean): number {
  const known = toImgError(error, interrupted)
  return known === undefined ? bugStatus : exitCodeOf(known)
}

/** Lines for a terminal or a log, without colours. */
export function errorLines(error: ImgError): string[] {
  const { fields } = error
  const lines = [`error ${error.code}: ${escapeControls(error.message)}`]
  const add = (label: string, text: string | undefined): void => {
    if (text !== undefined) lines.push(`  ${label} ${escapeControls(text).replaceAll('\n', '\n    ')}`)
  }
  if (fields.path !== undefined) {
    add('in', fields.line === undefined ? fields.path : `${fields.path}:${fields.line}`)
  }
  if (fields.layer !== undefined && !error.message.includes(fields.layer)) add('layer', fields.layer)
  add('wanted', fields.wanted)
  if (fields.found !== undefined && !error.message.includes(fields.found)) add('found', fields.found)
  add('hint', fields.hint)
  addOptions(error, lines)
  if (fields.output !== undefined) {
    const last = outputLines(fields.output).slice(-outputLimit)
    if (last.length > 0) lines.push('  last output', ...last.map((line) => `    | ${line}`))
  }
  return lines
}

/** The same fields for programs; `cause` as text, since what a library threw can hold anything. */
export function errorToJson(error: unknown): Readonly<Record<string, unknown>> {
  if (!(error instanceof ImgError)) {
    const { message, stack } = error instanceof Error ? error : { message: String(error), stack: undefined }
    return { code: 'BUG', exitCode: bugStatus, message, hint: bugHint, stack }
  }
  const { cause, ...fields } = error.fields
  const reason = cause instanceof Error ? cause.message : typeof cause === 'string' ? cause : undefined
  return {
    code: error.code,
    exitCode: exitCodeOf(error),
    message: error.message,
    ...fields,
    ...(reason === undefined ? {} : { cause: reason }),
  }
}

const bugStatus = 70
const bugHint = 'this is a bug in img; please report it with the lines above'
const outputLimit = 20

/** What the operating system refused is known by its code, wherever it came up; undefined for what is a bug. */
function toImgError(error: unknown, interrupted: boolean): ImgError | undefined {
  if (error instanceof ImgError) return error
  if (interrupted) return new ImgError('INTERRUPTED', 'interrupted')
  const { code, path, message } = error instanceof Error ? (error as NodeJS.ErrnoException) : {}
  const where = path === undefined ? {} : { path }
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new ImgError('DISK_FULL', `no space left: ${message}`, {
        ...where,
        hint: 'free space there, or choose another place with --cache-dir',
        cause: error,
      })
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new ImgError('PERMISSION', `not permitted: ${message}`, {
        ...where,
        hint: 'check owner and mode of the path, or run as the user it belongs to',
        cause: error,
      })
    case undefined:
    default:
      return undefined
  }
}

function renderBug(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : `thrown: ${String(error)}`
  return `${escapeControls(stack)}\n${bugHint}\n`
}

function addOptions(error: ImgError, lines: string[]): void {
  const { validOptions, found, hint } = error.fields
  if (validOptions === undefined || validOptions.length === 0) return
  const told = found === undefined || hint?.includes('did you mean') === true
  const meant = told ? undefined : suggest(found, validOptions)
  const guess = meant === undefined ? '' : `did you mean ${JSON.stringify(meant)}?`
  const shown = validOptions.slice(0, mostShown).join(', ')
  const more = validOptions.length - mostShown
  // The first of very many say nothing beside the one that was probably meant.
  if (guess !== '' && more > 0) lines.push(`  ${guess}`)
  else
    lines.push(`  ${guess === '' ? '' : `${guess}   `}known: ${shown}${more > 0 ? ` and ${more} more` : ''}`)
}

const mostShown = 12
