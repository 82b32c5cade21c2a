// A CI system's log: each layer's lines together, folded. Layers are built side by side and groups cannot be, so a layer's
// lines wait for its end; what belongs to no layer is written at once.

import type { ImgEvent } from '../events.ts'
import { makeLines } from './lines.ts'
import type { Reporter, ReporterOptions } from './reporter.ts'

export type CiSystem = 'github' | 'gitlab'

export function ciSystem(env: ReporterOptions['env']): CiSystem | undefined {
  if (env['GITHUB_ACTIONS'] === 'true') return 'github'
  return env['GITLAB_CI'] === 'true' ? 'gitlab' : undefined
}

export function makeCiReporter(system: CiSystem, { stream, verbosity, now }: ReporterOptions): Reporter {
  const lines = makeLines({ verbosity, steps: true })
  const waiting = new Map<string, string[]>()
  let closed = false
  const write = (text: readonly string[]): void => {
    if (text.length > 0) stream.write(`${text.join('\n')}\n`)
  }
  const writeQuoted = (text: readonly string[]): void => write(system === 'github' ? text.map(quoted) : text)
  const endLayer = (event: Extract<ImgEvent, { event: 'layer-end' }>): void => {
    const text = [...(waiting.get(event.layer) ?? []), ...lines.of(event)]
    waiting.delete(event.layer)
    if (text.length === 0) return
    const title = `${event.layer} ${event.outcome.status}`
    // A failure is what somebody opened the log for.
    if (event.outcome.status === 'failed') writeQuoted([title, ...text])
    else write(grouped(system, title, { text, seconds: Math.floor(now() / 1000) }))
  }
  return {
    emit: (event) => {
      if (closed) return
      if (event.event === 'layer-end') return endLayer(event)
      const text = lines.of(event)
      if (!('layer' in event) || event.layer === undefined || event.event === 'warning')
        return writeQuoted(text)
      waiting.set(event.layer, [...(waiting.get(event.layer) ?? []), ...text])
    },
    close: () => {
      for (const text of waiting.values()) writeQuoted(text)
      waiting.clear()
      closed = true
      return Promise.resolve()
    },
  }
}

/** What a guest said that looks like a command to the CI system is only text; one text may be several lines. */
const quoted = (text: string): string => text.replaceAll(/^(\s*)::/gm, '$1: :').replaceAll('##[', '## [')

function grouped(
  system: CiSystem,
  title: string,
  { text, seconds }: { readonly text: readonly string[]; readonly seconds: number },
): readonly string[] {
  if (system === 'github') return [`::group::${title}`, ...text.map(quoted), '::endgroup::']
  const name = title.replaceAll(/[^A-Za-z0-9_.-]/g, '_')
  return [
    `\u001b[0Ksection_start:${seconds}:${name}[collapsed=true]\r\u001b[0K${title}`,
    ...text,
    `\u001b[0Ksection_end:${seconds}:${name}\r\u001b[0K`,
  ]
}
