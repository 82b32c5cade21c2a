// Some programs wait for ever where they find no space, instead of failing: apt-get of Debian 12 does, now and then, when
// it unpacks an index.

import { statfs } from 'node:fs/promises'

export interface FullDiskOptions {
  /** How often in a row nothing was said and the free space was the same. */
  readonly looks: number
  /** Milliseconds from one look to the next. */
  readonly everyMs: number
  /** Bytes left on the filesystem of a folder. */
  readonly freeBytes: (directory: string) => Promise<number>
}

export interface FullDiskWatch {
  /** The program said something. */
  heard(): void
  /** Settles with true once the program has stood still on a full disk for too long; never, otherwise. */
  readonly stuck: Promise<true>
  close(): void
}

/** Bytes left below which a failure, or a program that does nothing, is taken for one of a full disk. */
export const littleSpace: number = 64 * 1024 * 1024

/** Watches the filesystem of `directory` on behalf of a program that works there. */
export function watchFullDisk(directory: string, options: FullDiskOptions = usual): FullDiskWatch {
  let quietLooks = 0
  let freeBefore: number | undefined
  let report: ((value: true) => void) | undefined
  const stuck = new Promise<true>((resolve) => (report = resolve))
  const look = async (): Promise<void> => {
    // A folder that is gone is told by who works in it.
    const free = await options.freeBytes(directory).catch(() => undefined)
    quietLooks = free === undefined || free >= littleSpace || free !== freeBefore ? 0 : quietLooks + 1
    freeBefore = free
    if (quietLooks >= options.looks) report?.(true)
  }
  const timer = setInterval(() => void look(), options.everyMs)
  timer.unref()
  return {
    heard: () => {
      quietLooks = 0
    },
    stuck,
    close: () => clearInterval(timer),
  }
}

/** As an ordinary user may have them; a filesystem that knows no sizes is never full. */
export async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize, blocks } = await statfs(directory)
  return blocks === 0 ? Infinity : bavail * bsize
}

const usual: FullDiskOptions = { looks: 24, everyMs: 5000, freeBytes }
