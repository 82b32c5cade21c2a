// How long each step took, told from the events a backend emits.

import type { RunContext } from '../context.ts'

export interface StepTimes {
  /** The context to run with; events pass through. */
  readonly context: RunContext
  /** Milliseconds by `step N label`, for steps that ended before the call; the running one counts as ending now. */
  durations(): Readonly<Record<string, number>>
}

export function measureSteps(context: RunContext): StepTimes {
  const durations: Record<string, number> = {}
  let running: { readonly name: string; readonly started: number } | undefined
  const end = (): void => {
    if (running !== undefined)
      durations[running.name] = (durations[running.name] ?? 0) + context.now() - running.started
    running = undefined
  }
  return {
    context: {
      ...context,
      emit: (event) => {
        if (event.event === 'step-start') {
          end()
          running = { name: `step ${event.step} ${event.label}`, started: context.now() }
        }
        context.emit(event)
      },
    },
    durations: () => {
      end()
      return durations
    },
  }
}
