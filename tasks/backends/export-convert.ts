import type { StepOf } from '../plan/step.ts'
import { newFile, type Export } from './export-files.ts'
import { runTool } from './namespace-build.ts'
import { insideTools } from './namespace-mounts.ts'

/** One coroutine and in order: what is written out of order comes out in other bytes. */
export async function convertDisk(making: Export, step: StepOf<'convert'>): Promise<void> {
  const to = await newFile(making, step.to)
  const options = Object.entries(step.options ?? {}).map(([name, value]) => `${name}=${value}`)
  const disks = [insideTools(making.folders, making.disk), insideTools(making.folders, to)]
  const flags = [
    ...(step.compress === true ? ['-c'] : []),
    ...(options.length === 0 ? [] : ['-o', options.join(',')]),
  ]
  const argv = ['qemu-img', 'convert', '-f', 'raw', '-O', step.format, '-m', '1', ...flags, ...disks]
  await runTool(making, argv, { what: `making ${step.to}` })
}
