// The reporter of this process, chosen by where stderr goes.

import type { ImgEvent } from '../events.ts'
import { ciSystem, makeCiReporter } from './ci-groups.ts'
import { makeJsonReporter } from './json.ts'
import { makePlainReporter } from './plain.ts'
import type { Reporter, ReporterOptions } from './reporter.ts'

export function openReporter(options: ReporterOptions): Reporter {
  if (options.json) return makeJsonReporter(options)
  const system = ciSystem(options.env)
  if (system !== undefined && options.verbosity !== 'quiet') return makeCiReporter(system, options)
  if (options.verbosity === 'quiet' || !isTerminal(options)) return makePlainReporter(options)
  return deferred(async () => (await import('./tty.ts')).makeTtyReporter(options))
}

/** A dumb terminal cannot move its cursor, a serial console says no width, and the log of a CI system is read later. */
function isTerminal({ stream, env }: ReporterOptions): boolean {
  const isDrawn = stream.isTTY === true && stream.columns !== 0
  return isDrawn && env['TERM'] !== 'dumb' && (env['CI'] ?? '') === ''
}

/** Drawing needs a large module; a command that shows nothing does not wait for it. */
function deferred(load: () => Promise<Reporter>): Reporter {
  const waiting: ImgEvent[] = []
  let loading: Promise<void> | undefined
  let loaded: Reporter | undefined
  return {
    emit: (event) => {
      if (loaded !== undefined) return loaded.emit(event)
      waiting.push(event)
      loading ??= load().then((reporter) => {
        loaded = reporter
        for (const early of waiting) reporter.emit(early)
      })
    },
    close: async () => {
      await loading
      await loaded?.close()
    },
  }
}
