// Opens the project a command works on, and closes it whatever happens.

import type { RunContext } from '../context.ts'
import type { Project } from '../run/project.ts'
import type { Call } from './command.ts'

export async function withProject<T>(
  call: Call,
  context: RunContext,
  run: (project: Project) => Promise<T>,
): Promise<T> {
  const { openProject } = await import('../run/project.ts')
  const { imgfile, frozen, remote, sharesKnown } = call.options
  const project = await openProject(context, {
    ...(typeof imgfile === 'string' ? { imgfile } : {}),
    frozen: frozen === true,
    remotes: remote !== false,
    sharesKnown: sharesKnown === true,
  })
  try {
    return await run(project)
  } finally {
    await project.close()
  }
}
