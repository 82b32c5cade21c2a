// `mkdir -p` whose errors are true: Node's reports a folder there is no space for, or that may only be read, as one that
// does not exist.

import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { errnoOf } from './store-error.ts'

/** The outermost folder that was made. */
export function makeFolder(path: string): string | undefined {
  const outcome = tryMake(path)
  if (outcome !== 'no parent' || path === dirname(path)) return outcome === 'made' ? path : undefined
  const above = makeFolder(dirname(path))
  return tryMake(path) === 'made' ? (above ?? path) : above
}

function tryMake(path: string): 'made' | 'there' | 'no parent' {
  try {
    mkdirSync(path)
    return 'made'
  } catch (cause) {
    const code = errnoOf(cause)
    if (code === 'EEXIST') return 'there'
    if (code === 'ENOENT') return 'no parent'
    throw cause
  }
}
