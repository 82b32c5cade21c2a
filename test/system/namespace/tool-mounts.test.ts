// The tool tree in the namespaces of a build, as root and as a user has them.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { makeFolders, mountTools, unmountTools } from '../../../tasks/backends/namespace-mounts.ts'
import { openNamespace } from '../../../tasks/backends/namespace-session.ts'
import { runProgram, streamProgram } from '../../../tasks/run/process.ts'
import { testContext } from '../../rig/run-context.ts'
import { canRun } from './bench.ts'

describe.runIf(canRun)('the mounted tool tree', () => {
  test.each([false, true])('goes as a whole (user namespace: %s)', async (userNamespace) => {
    const { root, signal } = testContext()
    const tools = join(root, 'tools')
    for (const name of ['run', 'tmp', 'proc', 'dev', 'etc']) mkdirSync(join(tools, name), { recursive: true })
    const folders = makeFolders(join(root, 'work'))
    const session = await openNamespace({
      directory: join(folders.work, 'mounts'),
      userNamespace,
      // Root has no subordinate ids.
      machine: {
        run: (argv, options) =>
          runProgram(
            argv.filter((one) => one !== '--map-auto'),
            options,
          ),
        stream: streamProgram,
      },
      signal,
    })
    onTestFinished(() => session.close())
    const mounts = async (): Promise<number> => {
      const { stdout } = await session.run(['grep', '-c', ` ${folders.tools}`, '/proc/self/mounts'])
      return Number(stdout)
    }
    await mountTools(session, folders, tools)
    expect(await mounts()).toBeGreaterThan(5)
    await unmountTools(session, folders)
    expect(await mounts()).toBe(0)
  })
})
