// Files of the project into the image.

import { checkOptions, isLayerOption, isText, listOf, matching } from '../tasks/plan/options.ts'
import type { Layer, Recipe } from '../tasks/plan/recipe.ts'
import { defaultTools } from './tools.ts'

export interface FilesOptions {
  /** Folder, relative to the imgfile; its content is laid into `to`. */
  readonly from: string
  /** Folder in the image, made when missing. */
  readonly to: string
  /** Which files below `from`; all by default. `!` in front takes some out. */
  readonly patterns?: readonly string[]
  /** Instead of root. */
  readonly owner?: string
  readonly group?: string
  readonly tools?: Layer
}

/**
 * Lays a folder's files, links and empty folders into the image.
 *
 * @example layer('base:web', files({ from: 'overlay', to: '/' }), { from: install })
 */
export function files(options: FilesOptions): Recipe {
  checkOptions('files', options, {
    required: { from: isText, to: matching(/^\//, 'not an absolute path') },
    optional: {
      patterns: listOf(isText),
      owner: isName,
      group: isName,
      tools: isLayerOption,
    },
  })
  const { from, to, patterns = ['**'], owner, group, tools = defaultTools } = options
  return {
    name: 'files',
    mode: 'chroot',
    parent: 'required',
    inputs: { files: { kind: 'files', base: from, patterns } },
    tools,
    steps: () => [
      {
        do: 'copy',
        input: 'files',
        to,
        ...(owner === undefined ? {} : { owner }),
        ...(group === undefined ? {} : { group }),
      },
    ],
  }
}

const isName = matching(/^(?:[a-z_][-a-z0-9_]*|\d+)$/, 'not the name or number of an account')
