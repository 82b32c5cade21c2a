// A layer that begins a disk and names no tool tree is refused before anything is built: the programs of the tree make
// the disk, and without one every backend for real images would fail half-way. Pure.

import { ImgError } from '../errors.ts'
import type { Decision } from './decision.ts'
import { declaredFields, type Graph, layerOf } from './graph.ts'
import type { Step } from './step.ts'

/** Of what is to be built; what stands on such a layer has its tools. Throws IMGFILE_INVALID. */
export function checkTools(graph: Graph, decisions: Iterable<Decision>): void {
  for (const decision of decisions) {
    if (decision.status !== 'missing' && decision.status !== 'gone') continue
    const { name, phases } = decision
    const toolless = phases.find(({ tools, steps }) => tools === undefined && steps.some(beginsDisk))
    if (toolless === undefined) continue
    throw new ImgError('IMGFILE_INVALID', `layer ${name}: none of its recipes names a tool tree`, {
      layer: name,
      hint: "give one `tools`, such as tools({ suite: 'trixie' }) of imgfile/recipes: its programs make the disk",
      ...declaredFields(layerOf(graph, name)),
    })
  }
}

const beginsDisk = (step: Step): boolean =>
  step.do === 'disk' || step.do === 'install' || step.do === 'virt-builder'
