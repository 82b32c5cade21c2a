import { layer } from '../../tasks/plan/declare.ts'
import type { Layer } from '../../tasks/plan/recipe.ts'
import { toolPackages, toolTree } from '../tools.ts'

/** The tool tree with a puppetserver beside the puppet that compiles: both of one release, so of one version. */
export const serverTools: Layer = layer(
  'tools:puppetserver-trixie',
  toolTree({ suite: 'trixie' }, [...toolPackages, 'puppetserver'].toSorted()),
)
