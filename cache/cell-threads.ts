// A disk's cells made by several threads: decoding, hashing and writing are work for a processor, and a promise for
// each chunk costs as much again.

import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { SHARE_ENV, Worker } from 'node:worker_threads'
import { PackDamaged } from './chunk-lost.ts'
import { openCellMaker, type CellPlan, type CellsFile, type MadeCell } from './make-cells.ts'

export type CellAnswer =
  | { readonly cells: readonly MadeCell[] }
  | { readonly damaged: string }
  | { readonly failed: string; readonly code: string | undefined }

export interface CellThreads {
  /** In no order. Throws `PackDamaged`, and what reading and writing throw, when none works any more. */
  make(plans: readonly CellPlan[], take: (cell: MadeCell) => void): Promise<void>
  end(): Promise<void>
}

/** `bytes`: how much there will be to do. Threads begin to load at once, while the caller still plans. */
export function startCellThreads(file: CellsFile, bytes: number): CellThreads {
  const count = Math.min(availableParallelism(), threadsMax, Math.ceil(bytes / worthAThread))
  // This thread is one of them: another takes a tenth of a second to load.
  const threads = [workHere(file), ...Array.from({ length: count - 1 }, () => startThread(file))]
  return {
    async make(plans, take) {
      // Shared: each thread takes the next one.
      const batches = inBatches(plans)
      const work = async (thread: Thread): Promise<void> => {
        for (const batch of batches) for (const cell of await thread.make(batch)) take(cell)
      }
      const lanes = threads.flatMap((thread) => Array.from({ length: thread.ahead }, () => work(thread)))
      const ended = await Promise.allSettled(lanes)
      for (const end of ended) if (end.status === 'rejected') throw end.reason
    },
    async end() {
      await Promise.all(threads.map((thread) => thread.end()))
    },
  }
}

const threadsMax = 8
const worthAThread = 32 * 1024 * 1024

/** Cells beside each other, most of whose frames no other batch needs. */
function* inBatches(plans: readonly CellPlan[]): Generator<readonly CellPlan[]> {
  for (let at = 0; at < plans.length; at += batchCells) yield plans.slice(at, at + batchCells)
}

const batchCells = 8

interface Thread {
  /** How many batches it is given at once. */
  readonly ahead: number
  make(plans: readonly CellPlan[]): Promise<readonly MadeCell[]>
  end(): Promise<void>
}

function workHere(file: CellsFile): Thread {
  const opened = openCellMaker(file)
  // Awaited when there is something to make.
  opened.catch(() => undefined)
  return {
    ahead: 1,
    async make(plans) {
      const maker = await opened
      // Others get their answers and signals theirs between two batches.
      await setImmediate()
      return plans.map((plan) => maker.make(plan))
    },
    end: async () => (await opened.catch(() => undefined))?.close(),
  }
}

function startThread(file: CellsFile): Thread {
  const extension = extname(import.meta.url)
  const worker = new Worker(new URL(`./cell-thread${extension}`, import.meta.url), {
    workerData: file,
    env: SHARE_ENV,
    // From the sources: as imgfiles are loaded, since not every Node reads TypeScript.
    ...(extension === '.ts' ? { execArgv: ['--import', import.meta.resolve('jiti/register')] } : {}),
  })
  const waiting: { resolve: (answer: CellAnswer) => void; reject: (cause: unknown) => void }[] = []
  let broken: { readonly cause: unknown } | undefined
  // Answered in the order of the questions.
  worker.on('message', (answer: CellAnswer) => waiting.shift()?.resolve(answer))
  worker.on('error', (cause) => {
    broken = { cause }
    for (const { reject } of waiting.splice(0)) reject(cause)
  })
  return {
    // While this thread works it answers nobody.
    ahead: 2,
    async make(plans) {
      if (broken !== undefined) throw broken.cause
      const answer = await new Promise<CellAnswer>((resolve, reject) => {
        waiting.push({ resolve, reject })
        worker.postMessage(plans)
      })
      if ('cells' in answer) return answer.cells
      if ('damaged' in answer) throw new PackDamaged(answer.damaged)
      throw Object.assign(new Error(answer.failed), { code: answer.code })
    },
    async end() {
      await worker.terminate()
    },
  }
}
