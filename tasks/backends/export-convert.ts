import { open } from 'node:fs/promises'
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
  if (step.format === 'vmdk') await settleContentId(to, making.work.key)
}

/** qemu-img draws a VMDK's content id by lot. Overlays name it, and nothing else depends on it: it comes from the key. */
async function settleContentId(file: string, key: string): Promise<void> {
  const handle = await open(file, 'r+')
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(descriptorBytes), 0, descriptorBytes, 0)
    const at = contentIdAt(buffer.subarray(0, bytesRead))
    await handle.write(Buffer.from(key.slice(0, 8), 'latin1'), 0, 8, at)
  } finally {
    await handle.close()
  }
}

const descriptorBytes = 64 * 1024

/** Pure. Where the eight digits stand in the descriptor at the beginning of a VMDK. */
export function contentIdAt(start: Buffer): number {
  const found = /\nCID=[0-9a-f]{8}\n/.exec(start.toString('latin1'))
  if (found === null) throw new Error('qemu-img wrote a VMDK without content id')
  return found.index + '\nCID='.length
}
