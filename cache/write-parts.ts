import type { FileHandle } from 'node:fs/promises'

/** Buffers one after another in one call to the kernel, which may take less than all of them. */
export async function writeParts(
  handle: FileHandle,
  parts: readonly Buffer[],
  position: number,
): Promise<void> {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  if (length === 0) return
  let { bytesWritten: done } = await handle.writev(parts, position)
  while (done < length) {
    const rest = Buffer.concat(parts).subarray(done)
    done += (await handle.write(rest, 0, rest.length, position + done)).bytesWritten
  }
}
