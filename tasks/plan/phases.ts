// What is done to a layer's disk, in order: its recipes' steps, checked, with layer-wide input names, grouped by mode.

import { ImgError } from '../errors.ts'
import { checkStep } from './check-step.ts'
import { declaredFields, type GraphLayer } from './graph.ts'
import { inputName, parentSlots } from './inputs.ts'
import type { Facts } from './recipe.ts'
import { sealSteps } from './seal.ts'
import type { Mode, Step } from './step.ts'

/** Consecutive steps a backend runs in one go. */
export interface Phase {
  readonly mode: Mode
  /** Slot of the tool tree among the layer's parents; undefined only where there is no tree yet. */
  readonly tools: string | undefined
  readonly steps: readonly Step[]
}

/** Runs the layer's recipes on what was resolved, `facts[i]` being what recipe `i` may see. */
export function makePhases(entry: GraphLayer, facts: readonly Facts[]): readonly Phase[] {
  const slots = new Map([...parentSlots(entry)].map(([slot, name]) => [name, slot]))
  const phases: { mode: Mode; tools: string | undefined; steps: Step[] }[] = []
  for (const [index, recipe] of entry.layer.recipes.entries()) {
    const steps = stepsOf(entry, index, facts[index])
    const tree = entry.recipeTools[index]
    const tools = tree === undefined ? undefined : slots.get(tree)
    const last = phases.at(-1)
    if (last !== undefined && last.mode === recipe.mode && last.tools === tools) last.steps.push(...steps)
    else phases.push({ mode: recipe.mode, tools, steps: [...steps] })
  }
  return sealBooted(phases.map((phase) => ({ ...phase, steps: finish(phase.mode, phase.steps) })))
}

function stepsOf(entry: GraphLayer, index: number, facts: Facts | undefined): readonly Step[] {
  const recipe = entry.layer.recipes[index]
  if (recipe === undefined || facts === undefined)
    throw new Error(`no facts for recipe ${index} of ${entry.name}`)
  let steps: readonly Step[]
  try {
    steps = recipe.steps(facts)
  } catch (error) {
    throw attributed(error, entry, recipe.name)
  }
  if (!Array.isArray(steps)) {
    throw new ImgError(
      'IMGFILE_INVALID',
      `layer ${entry.name}: recipe ${recipe.name} returned no array of steps`,
      {
        hint: 'steps() returns an array',
        layer: entry.name,
        ...declaredFields(entry),
      },
    )
  }
  for (const [place, step] of steps.entries()) {
    const wrong = checkStep(step, {
      recipe,
      first: index === 0 && place === 0,
      last: place === steps.length - 1,
    })
    if (wrong === undefined) continue
    const what = `step ${place + 1} of ${recipe.name}${wrong.step === undefined ? '' : ` (${wrong.step})`}`
    throw new ImgError('OPTION_INVALID', `layer ${entry.name}: ${what}: ${wrong.message}`, {
      hint: wrong.hint,
      layer: entry.name,
      ...(wrong.found === undefined ? {} : { found: wrong.found }),
      ...declaredFields(entry),
    })
  }
  return steps.map((step) => renamed(step, index))
}

/** An ImgError keeps its words and learns its layer; anything else a recipe throws is a mistake in the recipe. */
function attributed(error: unknown, entry: GraphLayer, recipe: string): ImgError {
  // By name: an imgfile may have loaded its recipes, and so this class, a second time.
  if (error instanceof Error && error.name === 'ImgError') {
    const { code, fields } = error as ImgError
    return new ImgError(code, error.message, { layer: entry.name, ...fields, cause: error })
  }
  const message = error instanceof Error ? error.message : String(error)
  return new ImgError('IMGFILE_INVALID', `layer ${entry.name}: recipe ${recipe} failed: ${message}`, {
    hint: 'this is a mistake in the recipe, not in a build',
    layer: entry.name,
    ...declaredFields(entry),
    cause: error,
  })
}

/** A machine that ran has left its identity and logs behind: what follows, or what is stored, starts from a sealed disk. */
function sealBooted(phases: readonly Phase[]): readonly Phase[] {
  return phases.flatMap((phase, place) => {
    const isSealed = phases[place + 1]?.mode === 'chroot'
    if (phase.mode !== 'boot' || isSealed) return [phase]
    return [phase, { mode: 'chroot' as const, tools: phase.tools, steps: sealSteps() }]
  })
}

/** References under the names the whole layer uses. */
function renamed(step: Step, recipe: number): Step {
  const apt = 'apt' in step && step.apt !== undefined ? { apt: inputName(recipe, step.apt) } : {}
  const input = 'input' in step && step.input !== undefined ? { input: inputName(recipe, step.input) } : {}
  const secrets =
    'secrets' in step && step.secrets !== undefined
      ? { secrets: step.secrets.map((name) => inputName(recipe, name)) }
      : {}
  return { ...step, ...apt, ...input, ...secrets }
}

/** A root tree becomes a disk or an archive when the last of the phase's recipes is through with it, sealed. */
function finish(mode: Mode, steps: readonly Step[]): readonly Step[] {
  const closing = steps.filter((step) => step.do === 'disk' || step.do === 'archive')
  const others = steps.filter((step) => step.do !== 'disk' && step.do !== 'archive')
  return [...others, ...(mode === 'chroot' ? sealSteps() : []), ...closing]
}
