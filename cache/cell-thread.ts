// What a thread of `cell-threads.ts` runs.

import { parentPort, workerData } from 'node:worker_threads'
import { PackDamaged } from './chunk-lost.ts'
import type { CellAnswer } from './cell-threads.ts'
import { openCellMaker, type CellPlan, type CellsFile } from './make-cells.ts'
import { errnoOf } from './store-error.ts'

const maker = await openCellMaker(workerData as CellsFile)

parentPort!.on('message', (plans: readonly CellPlan[]) => {
  parentPort!.postMessage(answer(plans))
})

function answer(plans: readonly CellPlan[]): CellAnswer {
  try {
    return { cells: plans.map((plan) => maker.make(plan)) }
  } catch (cause) {
    // An error that crosses threads keeps its message only.
    const message = cause instanceof Error ? cause.message : String(cause)
    if (cause instanceof PackDamaged) return { damaged: message }
    return { failed: message, code: errnoOf(cause) }
  }
}
