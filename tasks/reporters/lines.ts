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
        case 'fetch-start':
          return options.steps ? [`${event.layer}: fetching from ${escapeControls(event.from)}`] : []
        case 'progress':
        case 'doing':
          return []
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
        case 'puppet':
          return [`${event.layer}: ${puppetText(event)}`]
        case 'watching':
          return [
            `watching ${event.folders} ${event.folders === 1 ? 'folder' : 'folders'}${event.polling ? ', twice a second' : ''}; Ctrl-C ends`,
          ]
        case 'changed':
          return [changedText(event.paths)]
        case 'round-end':
          return roundLines(event)
        case 'error':
          return errorLines(event.error)
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

const shownNames = 5

function puppetText({ changed, resources }: Extract<ImgEvent, { event: 'puppet' }>): string {
  const names = changed.slice(0, shownNames).map(escapeControls).join(', ')
  const more = changed.length > shownNames ? ` and ${changed.length - shownNames} more` : ''
  const which = changed.length === 0 ? '' : `: ${names}${more}`
  return `puppet changed ${changed.length} of ${resources} resources${which}`
}

function changedText(paths: readonly string[]): string {
  const names = paths.slice(0, shownNames).map(escapeControls).join(', ')
  const more = paths.length > shownNames ? ` and ${paths.length - shownNames} more` : ''
  return `${names}${more} changed`
}

function roundLines({ status, ms }: Extract<ImgEvent, { event: 'round-end' }>): string[] {
  const after = ms === undefined ? '' : `, ${formatDuration(ms)} after the change`
  switch (status) {
    case 'built':
      return [`up to date${after}`]
    case 'idle':
      return [ms === undefined ? 'up to date' : 'up to date: nothing had to be built']
    case 'failed':
      return ['waiting for the next change']
    case 'superseded':
      return []
  }
}

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
