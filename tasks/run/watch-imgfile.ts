// The imgfile of `img watch`: loaded again when anything it is made of changed, and only then.

import { join } from 'node:path'
import type { RunContext } from '../context.ts'
import { readClosure, type Closure } from './closure.ts'
import { findImgfile } from './find-imgfile.ts'
import { loadImgfile, type LoadedImgfile } from './load.ts'
import { openLoaded, type Project, type ProjectOptions } from './project.ts'

export interface ImgfileWatch {
  /** A project of the imgfile as it is now. Throws what loading throws. */
  open(context: RunContext): Promise<Project>
  /** The files it was made of when last seen, or where it would be. */
  files(): readonly string[]
}

export function watchImgfile(root: string, options: ProjectOptions): ImgfileWatch {
  const { imgfile: given, ...others } = options
  let loaded: LoadedImgfile | undefined
  let closure: Closure | undefined
  let generation = 0
  /** Read from the text of the modules, so that one that cannot be loaded is watched, too. */
  const read = (): Closure | undefined => {
    const path = loaded?.path ?? (given === undefined ? findImgfile(root) : join(root, given))
    try {
      return path === undefined ? undefined : readClosure(path)
    } catch {
      // It is gone for a moment, as in an editor's rename.
      return undefined
    }
  }
  return {
    open: async (context) => {
      const now = read()
      const isSame = loaded !== undefined && now !== undefined && isWhole(now) && sameFiles(now, closure)
      closure = now ?? closure
      if (!isSame) {
        loaded = undefined
        loaded = await loadImgfile({ ...context, generation }, given)
        generation += 1
        closure = loaded.closure
      }
      if (loaded === undefined) throw new Error('the imgfile was not loaded')
      return openLoaded(context, loaded, others)
    },
    files: () => closure?.files.map(({ path }) => path) ?? [join(root, given ?? 'imgfile.ts')],
  }
}

/** Whether the files are all that decides what it says. */
const isWhole = ({ outside }: Closure): boolean => outside.length === 0

function sameFiles(one: Closure, other: Closure | undefined): boolean {
  return other !== undefined && JSON.stringify(one.files) === JSON.stringify(other.files)
}
