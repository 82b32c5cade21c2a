import { accessSync, constants, statSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { programPath } from './process.ts'

/** Where a program is, without starting anything; undefined when it is not installed. */
export function findProgram(name: string, path: string = programPath): string | undefined {
  const candidates = isAbsolute(name) ? [name] : path.split(':').map((folder) => join(folder, name))
  return candidates.find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
