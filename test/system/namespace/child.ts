// A build in a process of its own, to be killed: `child.ts WORK.json` runs it and says each step as it
// starts, then whether its disk is an overlay, and its tree.

import { readFileSync } from 'node:fs'
import type { Work } from '../../../tasks/backends/backend.ts'
import { namespaceBackend } from '../../../tasks/backends/namespace.ts'

const work = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Work
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const result = await namespaceBackend().run(work, {
  root: '/',
  env: {},
  cacheDir: work.directory,
  now: () => Date.now(),
  signal: new AbortController().signal,
  emit: (event) => {
    if (event.event === 'step-start') say(`step ${event.label}`)
  },
  uid: 0,
  yes: false,
})
say(result.isOverlay === true ? 'overlay' : 'copy')
say(`tree ${result.treeDigest}`)
