// How long a process was ready to run and did not, because others had the processors.

import { readdirSync, readFileSync } from 'node:fs'

/**
 * Milliseconds all threads of a process have waited so far (proc(5), schedstat); 0 when it is gone or the kernel does
 * not count. Threads that have ended are not in it, so it may become less.
 */
export function waitedMs(pid: number): number {
  const threads = `/proc/${pid}/task`
  try {
    return readdirSync(threads).reduce((sum, thread) => sum + ofThread(`${threads}/${thread}`), 0)
  } catch {
    // It is gone.
    return 0
  }
}

function ofThread(thread: string): number {
  try {
    return Number(readFileSync(`${thread}/schedstat`, 'utf8').split(' ')[1]) / 1e6
  } catch {
    // It ended since it was listed.
    return 0
  }
}
