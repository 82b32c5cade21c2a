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
    const settled = withContentId(buffer.subarray(0, bytesRead), key.slice(0, 8))
    await handle.write(settled, 0, settled.length, 0)
  } finally {
    await handle.close()
  }
}

/** Behind a header of one sector the descriptor has 20 sectors, of which it takes one. */
const descriptorBytes = 21 * 512

/** Pure. The beginning of a VMDK with another content id, which takes more room where the old one had fewer digits. */
export function withContentId(start: Buffer, id: string): Buffer {
  const text = start.toString('latin1')
  const settled = text.replace(/\nCID=[0-9a-f]{1,8}\n/, `\nCID=${id}\n`)
  if (!settled.includes(`\nCID=${id}\n`)) throw new Error('qemu-img wrote a VMDK without content id')
  return Buffer.from(settled.slice(0, text.length), 'latin1')
}
