// A build in a process of its own: to be killed, or to run on another machine than this one's.

import { writeFileSync } from 'node:fs'
import type { Work } from '../../../tasks/backends/backend.ts'
import { startChild, type TalkingChild } from '../../rig/talking-child.ts'

/** `through`: the command line of a program that becomes it. It says the lines of `child.ts`. */
export function startBuild(work: Work, through: readonly string[] = []): TalkingChild {
  const file = `${work.directory}.json`
  writeFileSync(file, JSON.stringify(work))
  return startChild(new URL('child.ts', import.meta.url).pathname, [file], through)
}
