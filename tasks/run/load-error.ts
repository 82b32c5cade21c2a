// What importing an imgfile can throw, as one clear error: which file, which line, what stands there.

import { existsSync, readFileSync } from 'node:fs'
import { isAbsolute, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ImgError, type ErrorFields } from '../errors.ts'
import { suggestHint } from '../plan/suggest.ts'
import { ownSpecifiers } from './own-modules.ts'

export interface LoadedFrom {
  readonly path: string
  readonly root: string
}

export function loadError(error: unknown, from: LoadedFrom): ImgError {
  if (error instanceof ImgError) return withRelativePath(error, from.root)
  if (!(error instanceof Error)) {
    return new ImgError('IMGFILE_THREW', `${shown(from.path, from.root)} threw ${describe(error)}`, {
      hint: 'throw an Error instead, so that it says where',
      path: shown(from.path, from.root),
      cause: error,
    })
  }
  return syntaxError(error, from) ?? missingModule(error, from) ?? thrown(error, from)
}

export function unexpectedExport(value: unknown, name: string, exported: boolean): ImgError {
  return new ImgError(
    'IMGFILE_INVALID',
    exported
      ? `the default export of ${name} is ${describe(value)}, not what defineImgfile returns`
      : `${name} has no default export`,
    { hint: 'write export default defineImgfile({ layers: [ … ] })', path: name },
  )
}

/** jiti ends its message with the place, Node begins the stack with it. */
function syntaxError(error: Error, from: LoadedFrom): ImgError | undefined {
  const byJiti = /^ParseError: ([^]*?)\s*\n\s*(\/[^\n]*):(\d+):\d+\s*$/.exec(error.message)
  const byNode = /^(?:file:\/\/)?(\/[^\n]*):(\d+)\n/.exec(error.stack ?? '')
  const isNodes = error instanceof SyntaxError && byNode !== null
  if (byJiti === null && !isNodes) return undefined
  const [message = '', path = from.path, line = '1'] =
    byJiti === null ? [error.message, byNode?.[1], byNode?.[2]] : byJiti.slice(1)
  const file = decodeURIComponent(path)
  return new ImgError('IMGFILE_INVALID', `${shown(file, from.root)} cannot be parsed: ${oneLine(message)}`, {
    ...placed(file, Number(line), from.root),
    hint: 'correct the line and run the command again',
    cause: error,
  })
}

function missingModule(error: Error, from: LoadedFrom): ImgError | undefined {
  const { code, requireStack } = error as { code?: unknown; requireStack?: readonly string[] }
  if (typeof code !== 'string' || !missingCodes.has(code)) return undefined
  const wanted = /(?:module|package|subpath) '([^']+)'/.exec(error.message)?.[1] ?? ''
  const importer = requireStack?.[0] ?? /imported from (\/\S+)/.exec(error.message)?.[1] ?? from.path
  const specifier = wanted.startsWith('/') ? shown(wanted, from.root) : wanted
  const line = lineWith(importer, wanted.split('/').at(-1) ?? wanted)
  return new ImgError(
    'IMGFILE_INVALID',
    `${shown(importer, from.root)} imports ${specifier}, which is not there`,
    {
      ...placed(importer, line, from.root),
      hint: missingHint(specifier),
      cause: error,
    },
  )
}

const missingCodes: ReadonlySet<string> = new Set([
  'MODULE_NOT_FOUND',
  'ERR_MODULE_NOT_FOUND',
  'ERR_PACKAGE_PATH_NOT_EXPORTED',
])

function missingHint(specifier: string): string {
  if (specifier.startsWith('.') || specifier.startsWith('/')) return 'check the path and its extension'
  if (specifier === 'imgfile' || specifier.startsWith('imgfile/')) {
    return suggestHint(specifier, ownSpecifiers(), 'modules of imgfile')
  }
  return `run \`npm install ${specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')}\``
}

function thrown(error: Error, from: LoadedFrom): ImgError {
  const frame = userFrame(error, from)
  const kind = error.name === 'Error' ? '' : `${error.name}: `
  return new ImgError('IMGFILE_THREW', `${shown(from.path, from.root)} threw ${kind}${error.message}`, {
    ...(frame === undefined
      ? { path: shown(from.path, from.root) }
      : placed(frame.path, frame.line, from.root)),
    hint: 'this came from the imgfile or what it imports, while it was loaded',
    cause: error,
  })
}

/** The innermost place that is the user's: not in a package, not in img, not in Node. */
function userFrame(error: Error, from: LoadedFrom): { path: string; line: number } | undefined {
  const own = fileURLToPath(new URL('../../', import.meta.url))
  for (const [, location = '', line] of (error.stack ?? '').matchAll(
    /(?:\(|at (?:async )?)((?:file:\/\/)?\/[^()\n]*?):(\d+):\d+/g,
  )) {
    const path = location.startsWith('file:') ? fileURLToPath(location) : location
    const foreign = path.includes('/node_modules/') || (path.startsWith(own) && path !== from.path)
    if (!foreign) return { path, line: Number(line) }
  }
  return undefined
}

function withRelativePath(error: ImgError, root: string): ImgError {
  const { path } = error.fields
  if (path === undefined || !isAbsolute(path)) return error
  return new ImgError(error.code, error.message, { ...error.fields, path: shown(path, root) })
}

function placed(path: string, line: number | undefined, root: string): ErrorFields {
  const text = line === undefined ? undefined : readLines(path)[line - 1]?.trim()
  return {
    path: shown(path, root),
    ...(line === undefined ? {} : { line }),
    ...(text === undefined || text === '' ? {} : { found: text }),
  }
}

function lineWith(path: string, text: string): number | undefined {
  const index = readLines(path).findIndex((line) => line.includes(text))
  return index === -1 ? undefined : index + 1
}

/** The file may be gone by now; the error is about something else. */
function readLines(path: string): string[] {
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []
}

function shown(path: string, root: string): string {
  const inside = relative(root, path)
  return inside.startsWith('..') ? path : inside
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'string') return `the string ${JSON.stringify(value)}`
  if (typeof value === 'number' || typeof value === 'boolean') return `the ${typeof value} ${value}`
  if (Array.isArray(value)) return 'an array'
  if (typeof value !== 'object') return `a ${typeof value}`
  return `an object with ${Object.keys(value).join(', ') || 'no properties'}`
}
