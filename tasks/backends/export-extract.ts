import path from 'node:path'
import { ImgError } from '../errors.ts'
import type { StepOf } from '../plan/step.ts'
import { newFile, type Export } from './export-files.ts'
import { mountTree } from './export-trees.ts'
import { runOnHost } from './namespace-build.ts'

/** By version, as `sort -V` has it: `vmlinuz-6.12.9` before `vmlinuz-6.12.48`. */
export async function extractFile(making: Export, step: StepOf<'extract'>): Promise<void> {
  const tree = await mountTree(making, making.disk)
  const folder = path.join(tree, path.dirname(step.from))
  const find = [
    'find',
    folder,
    '-maxdepth',
    '1',
    '-type',
    'f',
    '-name',
    path.basename(step.from),
    '-printf',
    '%f\\n',
  ]
  const { stdout } = await making.session.run(['sh', '-c', '"$@" | sort -V', 'sh', ...find], { quiet: true })
  const newest = stdout.trimEnd().split('\n').at(-1) ?? ''
  if (newest === '') {
    throw new ImgError('STEP_FAILED', `layer ${making.work.layer}: the image has no ${step.from}`, {
      layer: making.work.layer,
      hint: 'see that a layer below the target makes it',
    })
  }
  const to = await newFile(making, step.to)
  const copy = ['cp', '--sparse=always', '--no-preserve=all', '--', path.join(folder, newest), to]
  await runOnHost(making, copy, { what: `making ${step.to}` })
}
