// Which backend a step goes to: the first that has it and works here.

import type { Backend } from '../backends/backend.ts'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import { suggestHint } from '../plan/suggest.ts'
import type { Mode, Step } from '../plan/step.ts'

export interface BackendChoice {
  readonly mode: Mode
  readonly usable: readonly { readonly backend: Backend; readonly firstOnly: boolean }[]
  readonly unusable: readonly { readonly backend: Backend; readonly reason: string; readonly hint: string }[]
}

/** Best first; with `IMG_BACKEND`, that one before all others. Throws USAGE when it names none. */
export async function probeBackends(
  mode: Mode,
  all: readonly Backend[],
  context: RunContext,
): Promise<BackendChoice> {
  const usable: BackendChoice['usable'][number][] = []
  const unusable: BackendChoice['unusable'][number][] = []
  for (const backend of preferred(all, context.env['IMG_BACKEND'])) {
    if (!backend.modes.includes(mode)) continue
    const probe = await backend.probe(context)
    if (probe.available) usable.push({ backend, firstOnly: probe.firstOnly === true })
    else unusable.push({ backend, reason: probe.reason, hint: probe.hint })
  }
  return { mode, usable, unusable }
}

function preferred(all: readonly Backend[], wanted: string | undefined): readonly Backend[] {
  if (wanted === undefined || wanted === '') return all
  const names = all.map(({ name }) => name)
  if (!names.includes(wanted)) {
    throw new ImgError('USAGE', `IMG_BACKEND is "${wanted}"`, {
      hint: suggestHint(wanted, names, 'backends'),
      found: wanted,
      validOptions: names,
    })
  }
  return all.toSorted((one, other) => Number(other.name === wanted) - Number(one.name === wanted))
}

/**
 * Throws BACKEND_UNAVAILABLE with what each that could do it lacks. `isFirst`: there is no disk to be changed yet.
 * `foreign`: strangers made it.
 */
export function chooseBackend(
  choice: BackendChoice,
  step: Step,
  {
    layer,
    isFirst,
    foreign,
  }: { readonly layer: string; readonly isFirst: boolean; readonly foreign: boolean },
): Backend {
  const has = ({ backend }: { readonly backend: Backend }): boolean => backend.steps.has(step.do)
  const able = choice.usable.filter(has)
  const mayMount = ({ mounts }: Backend): boolean => !foreign || !mounts.has(step.do)
  const found = able.find(({ backend, firstOnly }) => (isFirst || !firstOnly) && mayMount(backend))
  if (found !== undefined) return found.backend
  const lacking = choice.unusable.filter(has)
  const reasons = [
    ...able.map(({ backend }) =>
      mayMount(backend)
        ? `${backend.name} cannot change a disk without root`
        : `${backend.name} would let this machine's kernel mount what others made`,
    ),
    ...lacking.map(({ backend, reason }) => `${backend.name}: ${reason}`),
  ]
  const why = reasons.length === 0 ? '' : `: ${reasons.join('; ')}`
  const there = choice.usable.map(({ backend }) => backend.name).join(', ')
  throw new ImgError('BACKEND_UNAVAILABLE', `layer ${layer}: no backend here can do ${step.do}${why}`, {
    layer,
    hint: lacking.at(-1)?.hint ?? `there is ${there}; run \`img doctor\` to see what others miss`,
  })
}
