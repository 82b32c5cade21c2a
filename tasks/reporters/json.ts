// Events for programs: one JSON object per line on stderr, in the order they happened.

import { ImgError } from '../errors.ts'
import { errorToJson } from './error.ts'
import { isImportant, type Reporter, type ReporterOptions } from './reporter.ts'

export function makeJsonReporter({ stream, verbosity, now }: ReporterOptions): Reporter {
  let closed = false
  return {
    emit: (event) => {
      if (closed || (verbosity === 'quiet' && !isImportant(event))) return
      stream.write(`${JSON.stringify({ time: now(), ...event }, errorsAsData)}\n`)
    },
    close: () => {
      closed = true
      return Promise.resolve()
    },
  }
}

function errorsAsData(_key: string, value: unknown): unknown {
  return value instanceof ImgError ? errorToJson(value) : value
}
