// Installs Debian packages on the host, as root or through sudo.

import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import { findProgram } from './find-program.ts'
import { runProgram } from './process.ts'

/** `path`: folders with programs, separated by colons. */
export type Install = (packages: readonly string[], context: RunContext, path?: string) => Promise<void>

/** Pure. What a reader can paste. */
export const installCommand = (packages: readonly string[], uid: number): string =>
  `${uid === 0 ? '' : 'sudo '}apt-get install --yes --no-install-recommends ${packages.join(' ')}`

export const installPackages: Install = async (packages, context, path) => {
  if (findProgram('apt-get', path) === undefined) {
    throw new ImgError('TOOL_MISSING', `cannot install ${packages.join(', ')}: this host has no apt-get`, {
      hint: "install them with this host's package manager",
      validOptions: packages,
    })
  }
  context.emit({ event: 'note', text: `installs ${packages.join(', ')}` })
  const install = ['install', '--yes', '--no-install-recommends', ...packages]
  const first = await apt(install, context, path)
  if (first.exitCode === 0) return
  // The lists of a fresh machine are empty or name versions that are gone.
  await apt(['update'], context, path)
  const second = await apt(install, context, path)
  if (second.exitCode === 0) return
  throw new ImgError('TOOL_MISSING', `apt-get could not install ${packages.join(', ')}`, {
    hint: `run \`${installCommand(packages, context.uid)}\` yourself`,
    output: second.stderr.trim().split('\n').slice(-20).join('\n'),
  })
}

async function apt(
  args: readonly string[],
  context: RunContext,
  path: string | undefined,
): Promise<{ readonly exitCode: number; readonly stderr: string }> {
  const command = ['apt-get', '-o', `DPkg::Lock::Timeout=${lockSeconds}`, ...args]
  // env keeps the setting through sudo; -n because a password prompt would wait for ever where nobody looks.
  const quiet = ['env', 'DEBIAN_FRONTEND=noninteractive', ...command]
  const { exitCode, stdout, stderr } = await runProgram(
    context.uid === 0 ? quiet : ['sudo', '-n', '--', ...quiet],
    { env: { LC_ALL: 'C.UTF-8', ...(path === undefined ? {} : { PATH: path }) }, signal: context.signal },
  )
  return { exitCode, stderr: stderr === '' ? stdout : stderr }
}

/** Another installation may be going on. */
const lockSeconds = 300
