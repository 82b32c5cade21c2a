// `mkdir -p` whose errors are true: Node's reports a folder there is no space for as one that does not exist.

import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { errnoOf } from './store-error.ts'

export function makeFolder(path: string): void {
  const code = tryMake(path)
  if (code !== 'ENOENT' || path === dirname(path)) return
  makeFolder(dirname(path))
  tryMake(path)
}

function tryMake(path: string): 'ENOENT' | undefined {
  try {
    mkdirSync(path)
    return undefined
  } catch (cause) {
    const code = errnoOf(cause)
    if (code === 'EEXIST') return undefined
    if (code === 'ENOENT') return code
    throw cause
  }
}
