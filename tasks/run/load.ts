// From the imgfile on disk to its value. It is the user's program and runs in this process, so whatever a program
// can do wrong while it is imported ends in one error that says where.

import { statSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import { isLayer } from '../plan/declare.ts'
import type { Imgfile } from '../plan/recipe.ts'
import { readClosure, type Closure } from './closure.ts'
import { findImgfile } from './find-imgfile.ts'
import { loadError, unexpectedExport } from './load-error.ts'
import { guarded } from './load-guard.ts'
import { importModule, type Loader } from './load-module.ts'

export interface LoadedImgfile {
  /** Absolute. */
  readonly path: string
  readonly imgfile: Imgfile
  /** The files it is made of; `readClosure` says when they are not the whole story. */
  readonly closure: Closure
}

export interface LoadContext extends Pick<RunContext, 'root' | 'cacheDir' | 'env' | 'signal'> {
  /** Node itself where it can, unless told: a test runner's own import of TypeScript would be what is tested. */
  readonly loader?: Loader
  /** How often this process has loaded it before: the modules are read anew each time it is another number. */
  readonly generation?: number
}

/** `given` is what `--imgfile` said; the context's root is already its folder. */
export async function loadImgfile(context: LoadContext, given?: string): Promise<LoadedImgfile> {
  const path = locate(context.root, given)
  const limitMs = limitOf(context.env)
  try {
    const module = await guarded(() => importModule(path, context), {
      name: basename(path),
      limitMs,
      signal: context.signal,
    })
    return { path, imgfile: checkExport(module, path), closure: readClosure(path) }
  } catch (error) {
    throw loadError(error, { path, root: context.root })
  }
}

function locate(root: string, given: string | undefined): string {
  const path = given === undefined ? findImgfile(root) : join(root, basename(given))
  if (path !== undefined && statSync(path, { throwIfNoEntry: false })?.isFile() === true) return path
  if (given !== undefined) {
    throw new ImgError('IMGFILE_NOT_FOUND', `there is no file ${given}`, {
      hint: 'check what --imgfile says',
    })
  }
  throw new ImgError('IMGFILE_NOT_FOUND', `no imgfile.ts in ${root} or any folder above it`, {
    hint: 'run `img init` to start a project here',
  })
}

/** `IMG_LOAD_TIMEOUT` is in seconds, for an imgfile that asks a slow server something. */
function limitOf(env: LoadContext['env']): number {
  const given = env['IMG_LOAD_TIMEOUT']
  if (given === undefined || given === '') return 10_000
  const seconds = Number(given)
  if (seconds > 0) return Math.min(seconds * 1000, 2 ** 31 - 1)
  throw new ImgError('USAGE', `IMG_LOAD_TIMEOUT is ${given}, not a number of seconds`, {
    hint: 'set it to a number above 0, or unset it for the default of 10',
  })
}

function checkExport(module: unknown, path: string): Imgfile {
  const value = (module as { default?: unknown }).default
  if (isImgfile(value)) return value
  throw unexpectedExport(value, basename(path), 'default' in (module as object))
}

/** Frozen is how defineImgfile leaves it: a look-alike was never checked. */
function isImgfile(value: unknown): value is Imgfile {
  if (typeof value !== 'object' || value === null || !Object.isFrozen(value)) return false
  const { layers } = value as { layers?: unknown }
  return Array.isArray(layers) && layers.every(isLayer)
}
