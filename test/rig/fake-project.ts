// A project of layers made in the test, built by the fake backend in a real store.

import { onTestFinished } from 'vitest'
import type { RunContext } from '../../tasks/context.ts'
import { defineImgfile, layer } from '../../tasks/plan/declare.ts'
import type { InputDeclaration, Layer, LayerName, Recipe } from '../../tasks/plan/recipe.ts'
import type { Step } from '../../tasks/plan/step.ts'
import { openLoaded, type Project } from '../../tasks/run/project.ts'

/** A recipe of fixed steps; `copies` become inputs that the layer copies to `/NAME`. */
export function fixed(steps: readonly Step[], copies: readonly string[] = []): Recipe {
  const inputs = copies.map((name): [string, InputDeclaration] => [
    name,
    { kind: 'files', base: '.', patterns: [name] },
  ])
  return {
    name: 'fixed',
    mode: 'chroot',
    parent: 'required',
    inputs: Object.fromEntries(inputs),
    steps: () => [...steps, ...copies.map((input): Step => ({ do: 'copy', input, to: `/${input}` }))],
  }
}

export const root = (content: string): Recipe => ({
  ...fixed([write('/etc/root', content), disk]),
  parent: 'none',
})

/** A tool tree, as far as a plan sees: an archive and no disk. */
export const toolTree = (): Recipe => ({
  ...fixed([write('/bin/true', ''), { do: 'archive' }]),
  parent: 'none',
})

export const write = (path: string, content: string): Step => ({ do: 'write', path, content, mode: '0644' })

const MiB = 2 ** 20
const disk: Step = {
  do: 'disk',
  layout: {
    size: 64 * MiB,
    table: 'gpt',
    partitions: [
      {
        name: 'root',
        size: 32 * MiB,
        grow: true,
        content: { kind: 'ext4', mount: '/', options: 'defaults' },
      },
    ],
    boot: { bios: false, uefi: false, cmdline: '', timeout: 0 },
  },
}

export async function fakeProject(context: RunContext, layers: readonly Layer[]): Promise<Project> {
  const closure = { files: [], packages: {}, env: [], outside: [] }
  const loaded = { path: `${context.root}/imgfile.ts`, imgfile: defineImgfile({ layers }), closure }
  const project = await openLoaded(context, loaded)
  onTestFinished(() => project.close())
  return project
}

export const child = (name: LayerName, from: Layer, recipe: Recipe): Layer => layer(name, recipe, { from })
