// Events as lines of text that stay, without colours: all of the plain reporter, and what the terminal's scrolls away.

import type { ImgEvent } from '../events.ts'
import type { Outcome } from '../plan/outcome.ts'
import { errorLines } from './error.ts'
import { escapeControls, outputLines } from './escape.ts'
import { formatDuration } from './format.ts'
import { isImportant, type Verbosity } from './reporter.ts'

export interface Lines {
  of(event: ImgEvent): readonly string[]
}

/** `steps`: whether a started layer or step is worth a line; a terminal shows it otherwise. */
export function makeLines(options: { readonly verbosity: Verbosity; readonly steps: boolean }): Lines {
  const unfinished = new Map<string, string>()
  return {
    of: (event) => {
      if (options.verbosity === 'quiet' && !isImportant(event)) return []
      switch (event.event) {
        case 'plan':
          return event.builds === 0 ? [] : [`plan: ${count(event.layers)}, ${event.builds} to build`]
        case 'layer-start':
          return options.steps ? [`${event.layer}: building${expected(event.expectedMs)}`] : []
        case 'step-start':
          return options.steps
            ? [`${event.layer}: step ${event.step} of ${event.steps}, ${escapeControls(event.label)}`]
            : []
        case 'output':
          return options.verbosity === 'verbose' ? wholeLines(event, unfinished) : []
        case 'layer-end':
          return [...lastLines(event.layer, unfinished), ...outcomeLines(event.layer, event.outcome, options)]
        case 'waiting':
          return [`${event.layer}: waiting for ${escapeControls(event.for)}`]
        case 'note':
          return [`${prefix(event.layer)}${escapeControls(event.text)}`]
        case 'warning':
          return [
            `warning: ${prefix(event.layer)}${escapeControls(event.text)}`,
            ...(event.hint === undefined ? [] : [`  hint ${escapeControls(event.hint)}`]),
          ]
      }
    },
  }
}

const count = (layers: number): string => `${layers} ${layers === 1 ? 'layer' : 'layers'}`

const prefix = (layer: string | undefined): string => (layer === undefined ? '' : `${layer}: `)

const expected = (ms: number | undefined): string =>
  ms === undefined ? '' : `, about ${formatDuration(ms)} expected`

/** Output comes in pieces; a line is shown when its end has come, so that two layers' lines do not mix. */
function wholeLines(
  { layer, stream, text }: Extract<ImgEvent, { event: 'output' }>,
  unfinished: Map<string, string>,
): string[] {
  const name = `${layer} ${stream}`
  const all = (unfinished.get(name) ?? '') + text
  const end = all.lastIndexOf('\n') + 1
  unfinished.set(name, all.slice(end))
  return end === 0 ? [] : outputLines(all.slice(0, end)).map((line) => `${layer} | ${line}`)
}

function lastLines(layer: string, unfinished: Map<string, string>): string[] {
  return (['stdout', 'stderr'] as const).flatMap((stream) => {
    const rest = unfinished.get(`${layer} ${stream}`) ?? ''
    unfinished.delete(`${layer} ${stream}`)
    return outputLines(rest).map((line) => `${layer} | ${line}`)
  })
}

function outcomeLines(layer: string, outcome: Outcome, options: { readonly verbosity: Verbosity }): string[] {
  switch (outcome.status) {
    case 'built':
    case 'fetched':
      return [`${layer}: ${outcome.status} in ${formatDuration(outcome.ms)}`]
    case 'reused':
    case 'unchanged':
      return options.verbosity === 'verbose' ? [`${layer}: ${outcome.status}`] : []
    case 'failed':
      return [
        `${layer}: failed after ${formatDuration(outcome.ms)}`,
        ...errorLines(outcome.error)
          .filter((line) => line !== `  layer ${layer}`)
          .map((line) => `  ${line}`),
        ...(outcome.log === undefined ? [] : [`    log ${escapeControls(outcome.log)}`]),
      ]
    case 'cancelled':
      return [`${layer}: cancelled, ${escapeControls(outcome.because)}`]
  }
}
