// A run for chrome://tracing and Perfetto: one row per layer, steps inside it. Pure.

import type { RunRecord } from './run-record.ts'

export interface ChromeTrace {
  readonly displayTimeUnit: 'ms'
  readonly traceEvents: readonly TraceEvent[]
}

/** Times in microseconds since the run began. */
type TraceEvent =
  | {
      readonly ph: 'X'
      readonly name: string
      readonly cat: 'layer' | 'step'
      readonly pid: 1
      readonly tid: number
      readonly ts: number
      readonly dur: number
      readonly args: Readonly<Record<string, string>>
    }
  | {
      readonly ph: 'M'
      readonly name: 'thread_name'
      readonly pid: 1
      readonly tid: number
      readonly args: { readonly name: string }
    }

export function toChromeTrace(run: RunRecord): ChromeTrace {
  const since = (ms: number): number => (ms - run.started) * 1000
  const events = run.layers.flatMap((layer, index): TraceEvent[] => {
    const row = { pid: 1, tid: index + 1 } as const
    const args = { status: layer.status, ...(layer.key === undefined ? {} : { key: layer.key }) }
    return [
      { ph: 'M', name: 'thread_name', ...row, args: { name: layer.name } },
      {
        ph: 'X',
        name: layer.name,
        cat: 'layer',
        ...row,
        ts: since(layer.started),
        dur: layer.ms * 1000,
        args,
      },
      ...layer.steps.map((step): TraceEvent => ({
        ph: 'X',
        name: step.label,
        cat: 'step',
        ...row,
        ts: since(step.started),
        dur: step.ms * 1000,
        args: {},
      })),
    ]
  })
  return { displayTimeUnit: 'ms', traceEvents: events }
}
