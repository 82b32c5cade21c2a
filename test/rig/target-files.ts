// A target's files, built and exported by the real `img`.

import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { TestProject } from './project.ts'

/** The folder they are in, by default one that goes with the project. */
export async function exportTarget(
  project: TestProject,
  target: string,
  folder: string = join(project.root, 'out', target.replace(':', '-')),
): Promise<string> {
  mkdirSync(dirname(folder), { recursive: true })
  for (const args of [
    ['build', '--yes', target],
    ['export', target, folder],
  ]) {
    const { status, stderr } = await project.img(args)
    if (status !== 0) throw new Error(`img ${args.join(' ')} ended with ${status}\n${stderr}`)
  }
  return folder
}
