// A disk that is here as overlays, made plain: a copy of what is below them, and on it what each of them says.

import { chmod, open, rm } from 'node:fs/promises'
import { runProgram } from '../tasks/run/process.ts'
import { openDiskChain } from './disk-chain.ts'
import { type Extent, subtractExtents } from './extents.ts'
import { Qcow2Odd } from './qcow2.ts'
import { resolveExtents } from './resolve-extents.ts'

/** `chain` is nearest first. False when it cannot be done: then nothing is there, and it is restored whole. */
export async function flattenDisk(chain: readonly string[], to: string): Promise<boolean> {
  try {
    const argv = ['cp', '--reflink=auto', '--sparse=always', '--', chain.at(-1)!, to]
    const { exitCode } = await runProgram(argv)
    if (exitCode !== 0) return await nothing(to)
    // As read-only as what it is a copy of.
    await chmod(to, 0o600)
    for (let at = chain.length - 2; at >= 0; at--) await writeOwn(chain.slice(at), to)
    return true
  } catch (cause) {
    await rm(to, { force: true })
    if (cause instanceof Qcow2Odd) return false
    throw cause
  }
}

async function nothing(to: string): Promise<false> {
  await rm(to, { force: true })
  return false
}

/** `to` is what is below the first of the chain. */
async function writeOwn(chain: readonly string[], to: string): Promise<void> {
  const source = openDiskChain(chain)
  const handle = await open(to, 'r+')
  try {
    const { size } = await handle.stat()
    const data = await resolveExtents(to, size)
    const buffer = Buffer.alloc(1024 * 1024)
    for (const { start, end } of changes(source, data)) {
      for (let at = start; at < end; at += buffer.length) {
        const part = buffer.subarray(0, Math.min(buffer.length, end - at))
        source.read(at, part)
        await handle.write(part, 0, part.length, at)
      }
    }
  } finally {
    source.close()
    await handle.close()
  }
}

/** What was cleared where there is nothing anyway stays a hole. */
function changes(
  { own, cleared }: { readonly own: readonly Extent[]; readonly cleared: readonly Extent[] },
  data: readonly Extent[],
): readonly Extent[] {
  return [...subtractExtents(own, [...subtractExtents(cleared, data)])]
}
