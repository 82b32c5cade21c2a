// A puppet step: the agent of the tool tree applies a compiled catalog to the image; its report decides.

import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { StepOf } from '../plan/step.ts'
import { enterUpdatedApt } from './chroot-apt.ts'
import { runFileStep } from './chroot-files.ts'
import { runInImage, type Build } from './namespace-build.ts'
import { inputInImage } from './namespace-mounts.ts'
import { checkReport, type Locations } from './puppet-apply-report.ts'
import { puppetApply } from './puppet-apply.ts'

export async function runPuppetStep(build: Build, step: StepOf<'puppet'>): Promise<void> {
  const { work, session, folders } = build
  const apply = puppetApply(step)
  const staged = inputInImage(step.input)
  const link = 'ln -sfn "$1/sources" /run/img/sources && ln -sfn "$1/plugins" /run/img/plugins'
  await runInImage(build, ['sh', '-c', link, 'sh', staged], { what: 'laying out the catalog' })
  for (const file of apply.files) await runFileStep(build, { do: 'write', ...file }, 'laying out the catalog')
  const apt = step.apt === undefined ? {} : await enterUpdatedApt(build, step.apt)
  const environment = { SOURCE_DATE_EPOCH: String(build.epoch), ...apt, ...apply.env }
  const output: string[] = []
  // Exit status 1 is as good as 0: the report says what became of the run.
  await session.run(apply.argv, {
    root: folders.image,
    env: environment,
    network: step.apt !== undefined,
    onOutput: (text, stream) => {
      output.push(text)
      build.context.emit({ event: 'output', layer: work.layer, stream, text })
    },
  })
  const report = await session.run(['cat', apply.report], { root: folders.image, quiet: true })
  const { changed, resources } = checkReport(report.exitCode === 0 ? report.stdout : undefined, {
    layer: work.layer,
    locations: await readLocations(work.inputs[step.input]),
    output: output.join('').trimEnd().split('\n').slice(-40).join('\n'),
  })
  build.context.emit({ event: 'puppet', layer: work.layer, changed, resources })
}

/** Only for messages: a catalog staged without them is applied just the same. */
async function readLocations(input: string | undefined): Promise<Locations> {
  if (input === undefined) return {}
  const text = await readFile(path.join(input, 'locations.json'), 'utf8').catch(() => '{}')
  return JSON.parse(text) as Locations
}
