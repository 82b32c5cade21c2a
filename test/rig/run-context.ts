import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { RunContext } from '../../tasks/context.ts'
import type { ImgEvent } from '../../tasks/events.ts'

/** A context in a folder of its own, and what was emitted; the folder goes with the test. */
export function testContext(over: Partial<RunContext> = {}): RunContext & { readonly events: ImgEvent[] } {
  const folder = mkdtempSync(join(tmpdir(), 'img-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const events: ImgEvent[] = []
  return {
    root: folder,
    env: {},
    cacheDir: join(folder, 'cache'),
    now: () => 0,
    signal: new AbortController().signal,
    emit: (event) => void events.push(event),
    uid: 0,
    yes: false,
    ...over,
    events,
  }
}
