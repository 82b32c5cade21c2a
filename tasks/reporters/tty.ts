// A terminal: finished layers scroll away as lines, running ones are redrawn below them.

import { createLogUpdate } from 'log-update'
import type { ImgEvent } from '../events.ts'
import { escapeControls, outputLines } from './escape.ts'
import { fitLines } from './fit-lines.ts'
import { formatBytes, formatDuration } from './format.ts'
import { makeLines } from './lines.ts'
import type { Reporter, ReporterOptions, ReportStream } from './reporter.ts'

export interface TtyOptions extends ReporterOptions {
  /** Calls back about once a second until the returned function is called; replaced in tests. */
  readonly ticker?: (tick: () => void) => () => void
}

export function makeTtyReporter(options: TtyOptions): Reporter {
  const { stream, now } = options
  const draw = createLogUpdate(stream as NodeJS.WritableStream & ReportStream, { showCursor: true })
  const lines = makeLines({ verbosity: options.verbosity, steps: false })
  const paint = (options.env['NO_COLOR'] ?? '') === '' ? coloured : uncoloured
  const running = new Map<string, Running>()
  let drawn: { readonly frame: readonly string[]; readonly columns: number } = { frame: [], columns: 0 }
  let stopTicker: (() => void) | undefined
  let closed = false

  const redraw = (): void => {
    const frame = renderRunning([...running.values()], now(), frameSize(stream))
    if (frame.length === 0 || frameSize(stream).columns < drawn.columns) erase()
    if (frame.length > 0) draw(frame.join('\n'))
    drawn = { frame, columns: frameSize(stream).columns }
  }
  /** A window made narrow has broken the frame's lines, so that it stands in more rows than were drawn. */
  const erase = (): void => {
    const { columns } = frameSize(stream)
    const broken = drawn.frame.map((line) => Math.max(0, Math.ceil(Array.from(line).length / columns) - 1))
    const more = broken.reduce((sum, rows) => sum + rows, 0)
    draw.clear()
    stream.write('\u001b[1A\u001b[2K'.repeat(more))
    drawn = { frame: [], columns }
  }
  const scroll = (text: readonly string[]): void => {
    erase()
    for (const line of text) {
      for (const part of fitLines(line, frameSize(stream).columns).split('\n'))
        stream.write(`${paint(part)}\n`)
    }
  }
  return {
    emit: (event) => {
      if (closed) return
      const changed = follow(running, event, now())
      const text = lines.of(event)
      if (text.length > 0) scroll(text)
      if (changed || text.length > 0) redraw()
      if (running.size > 0) stopTicker ??= (options.ticker ?? everySecond)(redraw)
      else {
        // Somebody who waits for hours must not find the machine awake.
        stopTicker?.()
        stopTicker = undefined
      }
    },
    close: () => {
      if (!closed) erase()
      closed = true
      stopTicker?.()
      return Promise.resolve()
    },
  }
}

interface Running {
  readonly layer: string
  readonly since: number
  readonly expectedMs: number | undefined
  readonly doing: string
  /** What its programs said since their last but one line ended. */
  readonly said?: string
}

/** Whether what is drawn changed. */
function follow(running: Map<string, Running>, event: ImgEvent, now: number): boolean {
  switch (event.event) {
    case 'layer-start':
      running.set(event.layer, {
        layer: event.layer,
        since: now,
        expectedMs: event.expectedMs,
        doing: 'starting',
      })
      return true
    case 'fetch-start': {
      const doing = `fetching from ${escapeControls(event.from)}`
      running.set(event.layer, { layer: event.layer, since: now, expectedMs: undefined, doing })
      return true
    }
    case 'progress': {
      const known = running.get(event.layer)
      if (known === undefined) return false
      const doing = `${known.doing.replace(/, .*$/, '')}, ${formatBytes(event.bytes)}`
      running.set(event.layer, { ...known, doing })
      return true
    }
    case 'step-start': {
      const known = running.get(event.layer)
      if (known === undefined) return false
      const doing = `${event.step}/${event.steps} ${escapeControls(event.label)}`
      running.set(event.layer, { ...known, doing, said: '' })
      return true
    }
    case 'doing': {
      const known = running.get(event.layer)
      if (known === undefined) return false
      running.set(event.layer, { ...known, doing: event.text, said: '' })
      return true
    }
    case 'output': {
      const known = running.get(event.layer)
      if (known !== undefined) running.set(event.layer, { ...known, said: lastSaid(known.said, event.text) })
      // It comes faster than anybody reads: the next second shows it.
      return false
    }
    case 'layer-end':
      return running.delete(event.layer)
    case 'plan':
    case 'puppet':
    case 'watching':
    case 'changed':
    case 'round-end':
    case 'error':
    case 'waiting':
    case 'note':
    case 'warning':
  }
  return false
}

/** The last whole line and what comes after it; all of a line that does not end. */
function lastSaid(before: string | undefined, text: string): string {
  const all = ((before ?? '') + text).slice(-4096)
  return all.slice(all.lastIndexOf('\n', all.lastIndexOf('\n') - 1) + 1)
}

/** One line per running layer, cut to the width; what does not fit the height is counted. */
export function renderRunning(
  running: readonly Running[],
  now: number,
  size: { readonly columns: number; readonly rows: number },
): string[] {
  const room = Math.max(1, size.rows - 2)
  const shown = running.slice(0, running.length > room ? room - 1 : room)
  const width = Math.max(0, ...shown.map(({ layer }) => layer.length))
  const frame = shown.map(({ layer, since, expectedMs, doing, said = '' }) => {
    const expected = expectedMs === undefined ? '' : ` of about ${formatDuration(expectedMs)}`
    const seconds = Math.floor((now - since) / 1000)
    const elapsed = seconds < 60 ? `${seconds} s` : formatDuration(seconds * 1000)
    const line = outputLines(said.slice(0, said.lastIndexOf('\n') + 1)).at(-1) ?? ''
    const last = line.trim() === '' ? '' : ` | ${line.trim()}`
    return `${layer.padEnd(width)}  ${elapsed}${expected}  ${doing}${last}`
  })
  if (shown.length < running.length) frame.push(`and ${running.length - shown.length} more`)
  return frame.map((line) => clip(line, size.columns))
}

/** A line as wide as the terminal would wrap in some of them, hence one column less. */
function clip(line: string, columns: number): string {
  const room = Math.max(1, columns - 1)
  const characters = Array.from(line)
  return characters.length <= room ? line : `${characters.slice(0, room - 1).join('')}…`
}

const frameSize = (stream: ReportStream): { columns: number; rows: number } => ({
  columns: stream.columns ?? 80,
  rows: stream.rows ?? 24,
})

function everySecond(tick: () => void): () => void {
  const timer = setInterval(tick, 1000)
  // A picture is no reason to keep the process alive.
  timer.unref()
  return () => clearInterval(timer)
}

/** By what a line says, since lines are made without knowing where they go. */
function coloured(line: string): string {
  if (/^warning: |: cancelled, |^waiting for the next change/.test(line)) return `\u001b[33m${line}\u001b[39m`
  if (/: failed after |^(?: {2})?error /.test(line)) return `\u001b[31m${line}\u001b[39m`
  if (/^\S+: (?:built|fetched|reused|unchanged)\b|^up to date/.test(line))
    return `\u001b[32m${line}\u001b[39m`
  return line
}

const uncoloured = (line: string): string => line
