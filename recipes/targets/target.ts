// What all targets have in common.

import { layer } from '../../tasks/plan/declare.ts'
import { isLayerOption, type OptionRules } from '../../tasks/plan/options.ts'
import type { Facts, Layer, LayerName, Recipe } from '../../tasks/plan/recipe.ts'
import type { ExportStep } from '../../tasks/plan/export-step.ts'
import type { Step } from '../../tasks/plan/step.ts'
import { defaultTools } from '../tools.ts'
import type { Debian } from '../traits.ts'
import { targetTools } from './tools.ts'

export interface TargetOptions {
  /** Instead of the name of what it is made from: `openstack:ceph-node`. */
  readonly name?: LayerName
  /** Tree of the programs that make the files. */
  readonly tools?: Layer
}

export const targetRules: OptionRules['optional'] = {
  // The name itself is checked where the layer is declared.
  name: (value) => (typeof value === 'string' ? undefined : 'not text'),
  tools: isLayerOption,
}

/** Files made of a layer's disk, as a layer of their own. */
export function target(
  kind: string,
  { from, of = from, options, inputs = {}, steps, chain = false, memory, tried }: TargetParts,
): Layer {
  const recipe: Recipe = {
    name: kind,
    mode: 'export',
    parent: 'required',
    inputs,
    tools: options.tools ?? targetTools,
    chain,
    steps: typeof steps === 'function' ? steps : () => steps,
    ...(memory === undefined ? {} : { weight: { memory } }),
    ...(tried === undefined ? {} : { tried }),
  }
  return layer(options.name ?? targetName(kind, of), recipe, { from })
}

export interface TargetParts {
  readonly from: Layer
  /** What it is named after, when it is made from a disk that was adjusted for it. */
  readonly of?: Layer
  readonly options: TargetOptions
  readonly inputs?: Recipe['inputs']
  readonly steps: readonly ExportStep[] | ((facts: Facts) => readonly ExportStep[])
  /** Whether it needs the disks of everything below, too. */
  readonly chain?: boolean
  /** Instead of the disk it is made from. */
  readonly tried?: Recipe['tried']
  /** MiB it takes to make them, when that is much. */
  readonly memory?: number
}

/** What a target changes of the disk first: a layer of its own, `<kind>-disk:…`, with the image's own package archives. */
export function targetDisk<Has extends Debian>(
  kind: string,
  from: Layer<Has>,
  { name, steps }: { readonly name: string; readonly steps: readonly Step[] },
): Layer<Has> {
  const recipe: Recipe = {
    name,
    mode: 'chroot',
    parent: 'required',
    inputs: { apt: { kind: 'apt', ...from.traits.debian } },
    tools: defaultTools,
    steps: () => steps,
  }
  return layer(targetName(`${kind}-disk`, from), recipe, { from }) as Layer as Layer<Has>
}

/** `openstack:ceph-node` for `role:ceph-node`; what is no role keeps its kind: `openstack:base-trixie`. */
function targetName(kind: string, from: Layer): LayerName {
  const [fromKind, name = ''] = from.name.split(':')
  return fromKind === 'role' ? `${kind}:${name}` : `${kind}:${fromKind}-${name}`
}
