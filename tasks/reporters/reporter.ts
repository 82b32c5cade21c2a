// What shows events to somebody. The rest of img only emits.

import type { Emit, ImgEvent } from '../events.ts'

export interface Reporter {
  readonly emit: Emit
  /** After it nothing is written any more; what was emitted before is. May be called twice. */
  close(): Promise<void>
}

/** The part of a terminal or pipe a reporter needs. */
export interface ReportStream {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
  write(text: string): unknown
}

export type Verbosity = 'quiet' | 'normal' | 'verbose'

export interface ReporterOptions {
  readonly stream: ReportStream
  readonly json: boolean
  readonly verbosity: Verbosity
  readonly env: Readonly<Record<string, string | undefined>>
  readonly now: () => number
}

/** What `--quiet` leaves: warnings and failures. */
export function isImportant(event: ImgEvent): boolean {
  return (
    event.event === 'warning' ||
    event.event === 'error' ||
    (event.event === 'layer-end' && event.outcome.status === 'failed')
  )
}
