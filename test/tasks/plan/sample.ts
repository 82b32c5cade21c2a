// Recipes, layers and errors as the tests of the plan write them.

import { ImgError, type ErrorCode, type ErrorFields } from '../../../tasks/errors.ts'
import { layer } from '../../../tasks/plan/declare.ts'
import type { InputFacts } from '../../../tasks/plan/inputs.ts'
import type { PastBuild } from '../../../tasks/plan/past-build.ts'
import type { Layer, LayerName, Recipe } from '../../../tasks/plan/recipe.ts'
import type { Step } from '../../../tasks/plan/step.ts'

/** A recipe that returns these steps. */
export function recipe(given: Partial<Recipe> & { readonly does?: readonly Step[] } = {}): Recipe {
  const { does = [], ...fields } = given
  return { name: 'sample', mode: 'chroot', inputs: {}, parent: 'required', steps: () => does, ...fields }
}

/** A recipe that begins a disk. */
export const beginning = (given: Parameters<typeof recipe>[0] = {}): Recipe =>
  recipe({ name: 'begin', parent: 'none', ...given })

/** Layers by name from `child: parent`; those with an empty parent begin a disk. */
export function layers<Name extends LayerName>(
  parents: Readonly<Record<Name, LayerName | ''>>,
): Record<Name, Layer> {
  const made: Record<string, Layer> = {}
  for (const [name, parent] of Object.entries(parents) as [LayerName, LayerName | ''][]) {
    const from = made[parent]
    made[name] = from === undefined ? layer(name, beginning()) : layer(name, recipe(), { from })
  }
  return made
}

export const write = (path: string, content = 'text'): Step => ({ do: 'write', path, content, mode: '0644' })

export const run = (...argv: string[]): Step => ({ do: 'run', argv })

export const resolved = (given: Partial<InputFacts> = {}): InputFacts => ({
  kind: 'files',
  digest: 'd0',
  files: [],
  inKey: true,
  ...given,
})

/** A record, `key` also being its tree digest. */
export const pastBuild = (given: Partial<PastBuild> = {}): PastBuild => ({
  key: 'k0',
  layer: 'base:x',
  keyRecord: null,
  treeDigest: given.key ?? 'k0',
  artifact: {},
  inputs: {},
  parents: {},
  durations: {},
  ...given,
})

/** Everything an ImgError tells, in one value; places in this repository without what varies. */
export function errorOf(act: () => unknown): { code: ErrorCode; message: string } & ErrorFields {
  try {
    act()
  } catch (error) {
    if (!(error instanceof ImgError)) throw error
    const { path, line, cause: _, ...fields } = error.fields
    const file = path?.slice(path.lastIndexOf('/') + 1)
    return {
      code: error.code,
      message: error.message,
      ...fields,
      ...(file === undefined ? {} : { path: file }),
      ...(line === undefined || line < 1 ? {} : { line: 1 }),
    }
  }
  throw new Error('no error was thrown')
}
