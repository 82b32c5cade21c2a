// Whether namespaces with mounts of their own can be made here.

import type { RunContext } from '../context.ts'
import { runProgram } from '../run/process.ts'
import type { BackendProbe } from './backend.ts'

export async function probeNamespace(context: RunContext): Promise<BackendProbe> {
  const isRoot = context.uid === 0
  const user = isRoot ? [] : ['--user', '--map-root-user', '--map-auto']
  const argv = [
    'unshare',
    ...user,
    '--mount',
    '--pid',
    '--ipc',
    '--uts',
    '--fork',
    'mount',
    '-t',
    'tmpfs',
    'none',
    '/mnt',
  ]
  try {
    const result = await runProgram(argv, { timeoutMs: 10_000 })
    if (result.exitCode === 0) return { available: true }
    const reason = `namespaces cannot be made: ${result.stderr.trim()}`
    return {
      available: false,
      reason,
      hint: isRoot
        ? 'inside a container the capability SYS_ADMIN is needed'
        : 'install uidmap, or run as root',
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { available: false, reason, hint: 'install util-linux' }
  }
}
