import { accessSync, constants, statSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { programPath } from './process.ts'

/** Where a program (or an absolute file) is, without starting anything; undefined when it is not installed. */
export function findProgram(
  name: string,
  path: string = programPath,
  kind: 'program' | 'file' = 'program',
): string | undefined {
  const candidates = isAbsolute(name) ? [name] : path.split(':').map((folder) => join(folder, name))
  const mode = kind === 'program' ? constants.X_OK : constants.R_OK
  return candidates.find((file) => isUsable(file, mode))
}

function isUsable(file: string, mode: number): boolean {
  try {
    accessSync(file, mode)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
