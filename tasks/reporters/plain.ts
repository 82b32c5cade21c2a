// One line per event, no colours, nothing redrawn: for logs, pipes and dumb terminals.

import { makeLines } from './lines.ts'
import type { Reporter, ReporterOptions } from './reporter.ts'

export function makePlainReporter({ stream, verbosity }: ReporterOptions): Reporter {
  const lines = makeLines({ verbosity, steps: true })
  let closed = false
  return {
    emit: (event) => {
      if (closed) return
      for (const line of lines.of(event)) stream.write(`${line}\n`)
    },
    close: () => {
      closed = true
      return Promise.resolve()
    },
  }
}
