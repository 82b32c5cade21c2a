// The remotes of a project, for commands that make no sense without.

import { ImgError } from '../errors.ts'
import type { Project } from '../run/project.ts'
import type { Remotes } from '../run/remotes.ts'

/** Throws OPTION_INVALID when there is none to ask or nobody to believe. */
export async function remotesOf(project: Project): Promise<Remotes> {
  const remotes = await project.remotes()
  if (remotes !== undefined) return remotes
  const listed = project.loaded.imgfile.remotes ?? []
  const isNone = (project.context.env['IMG_REMOTES'] ?? listed.join()) === ''
  throw new ImgError(
    'OPTION_INVALID',
    isNone ? 'there is no remote' : 'there is no key whose entries could be believed',
    {
      hint: isNone
        ? `write remotes: ['https://cache.example.org/img'] into the imgfile, or set IMG_REMOTES`
        : 'make keys.json with `img keys create`, and commit it to the main branch',
    },
  )
}
