// Runs the scheduler on layers that only count turns of the event loop.

import { ImgError } from '../../../tasks/errors.ts'
import type { Outcome } from '../../../tasks/plan/outcome.ts'
import type { LayerName } from '../../../tasks/plan/recipe.ts'
import { schedule, type ScheduledLayer, type ScheduleOptions } from '../../../tasks/run/schedule.ts'

export const built: Outcome = { status: 'built', key: 'k', ms: 1 }
export const error = new ImgError('STEP_FAILED', 'step 1 failed')
export const failed: Outcome = { status: 'failed', error, ms: 1 }
export const interrupted = (): Outcome => ({
  status: 'failed',
  error: new ImgError('INTERRUPTED', 'was interrupted'),
  ms: 1,
})

export const later = (): Promise<void> => new Promise(setImmediate)

/** `child: 'parents'`, parents apart by a space. */
export function layersOf(needs: Readonly<Record<LayerName, string>>): ScheduledLayer[] {
  return Object.entries(needs).map(([name, parents]) => ({
    name: name as LayerName,
    needs: parents.split(' ').filter((need) => need !== '') as LayerName[],
  }))
}

export interface Seen {
  readonly started: string[]
  readonly aborted: string[]
  most: number
}

/** Runs with `ends` deciding each outcome; every task takes a few turns of the event loop, or until it is aborted. */
export async function scheduled(
  layers: readonly ScheduledLayer[],
  options: Partial<ScheduleOptions> & { readonly ends?: (name: string) => Outcome | 'hangs' } = {},
): Promise<{ readonly outcomes: Record<string, string>; readonly seen: Seen }> {
  const seen: Seen = { started: [], aborted: [], most: 0 }
  let running = 0
  const outcomes = await schedule(layers, {
    budgets: { concurrency: 2 },
    mode: 'fail-fast',
    signal: new AbortController().signal,
    now: () => 0,
    run: async (name, signal) => {
      seen.started.push(name)
      seen.most = Math.max(seen.most, ++running)
      const end = options.ends?.(name) ?? built
      for (let turns = 0; turns < (end === 'hangs' ? 1000 : 3) && !signal.aborted; turns++) await later()
      running--
      if (signal.aborted) seen.aborted.push(name)
      if (end === 'hangs') return signal.aborted ? interrupted() : built
      return end
    },
    ...options,
  })
  const words = [...outcomes].map(([name, outcome]) => [
    name,
    outcome.status === 'cancelled' ? `cancelled: ${outcome.because}` : outcome.status,
  ])
  return { outcomes: Object.fromEntries(words) as Record<string, string>, seen }
}
