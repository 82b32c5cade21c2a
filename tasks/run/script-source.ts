// The digest of a function of the imgfile. Which of the module's values a function uses cannot be told from outside
// without a compiler, so the function is keyed by all text that could decide it: every file of the imgfile's closure,
// the versions of the packages, and the environment variables these files read. Too much rather than too little:
// an unrelated edit of the imgfile runs its scripts again. Files a script reads must be declared as inputs.

import { createHash } from 'node:crypto'
import { portablePath, type Closure } from './closure.ts'

export interface ScriptSource {
  readonly root: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly closure: Closure
  /**
   * Layer and input, such as `role:web 0.script`: tells the functions of one imgfile apart, also those one arrow
   * function made in a loop with different values around it.
   */
  readonly place: string
}

export function scriptDigest({ root, env, closure, place }: ScriptSource): string {
  const files = closure.files.map(({ path, digest }) => [portablePath(root, path), digest] as const)
  const record = [
    'script 1',
    place,
    files.toSorted(([a], [b]) => (a < b ? -1 : 1)),
    Object.entries(closure.packages),
    closure.env.map((name) => [name, env[name] ?? null]),
  ]
  return createHash('sha256').update(JSON.stringify(record)).digest('hex')
}
