// A shell where a layer's steps run: in a copy of its disk, with the same root, mounts and guards. Nothing is kept.

import { join } from 'node:path'
import type { RunContext } from '../context.ts'
import { startProgram } from '../run/process.ts'
import { openWorkspace } from '../run/workspace.ts'
import { enterMounted } from './chroot-layer.ts'
import { copyDisk, mountDisk } from './disk-mounts.ts'
import { mountTools, unmountTools } from './namespace-mounts.ts'
import { withBuild } from './with-build.ts'

export interface ShellOptions {
  readonly layer: string
  readonly disk: string
  /** Folder of the unpacked tool tree that reads the disk. */
  readonly tools: string
  /** For `sh -c`, instead of a shell to type in. */
  readonly command?: string
  /** Whether it reaches the network outside. */
  readonly outside: boolean
}

/** Exit status of the shell; as root. */
export async function shellInImage(options: ShellOptions, context: RunContext): Promise<number> {
  const { layer, disk, tools, outside } = options
  const workspace = await openWorkspace(context.cacheDir)
  const directory = workspace.path
  const log = join(directory, 'log')
  const nothing = { steps: [], inputs: {}, apt: {}, chain: [] }
  const work = { layer, key: '', mode: 'chroot' as const, arch: '', directory, log, ...nothing }
  try {
    return await withBuild(work, context, async (build) => {
      const { session, folders } = build
      await mountTools(session, folders, tools)
      await mountDisk(build, await copyDisk(build, disk))
      await unmountTools(session, folders)
      await enterMounted(build, { tools, inputs: {} })
      const term = context.env['TERM']
      const { argv, env } = session.commandLine(inRoot(folders.image, options.command), {
        network: outside,
        ...(term === undefined ? {} : { env: { TERM: term } }),
      })
      const { exited } = startProgram(argv, { terminal: true, env })
      const { exitCode } = await exited
      return exitCode ?? 255
    })
  } finally {
    await workspace.remove()
  }
}

/**
 * A terminal of its own, by `script`: without one there is no job control, and Ctrl-C would end `img` as well. What is
 * read from a pipe or a file goes to the shell as it is.
 */
function inRoot(image: string, command: string | undefined): readonly string[] {
  const shell = command === undefined ? 'exec "$(command -v bash || echo sh)"' : command
  const script = `
if test -t 0; then
  exec script --quiet --return --command 'exec chroot "$IMG_ROOT" sh -c "$IMG_SHELL"' /dev/null
else
  exec chroot "$IMG_ROOT" sh -c "$IMG_SHELL"
fi
`
  return ['env', `IMG_ROOT=${image}`, `IMG_SHELL=${shell}`, 'sh', '-c', script]
}
