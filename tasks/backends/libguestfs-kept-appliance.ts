// The appliance libguestfs keeps for the user, made before any of its programs runs.

import { existsSync } from 'node:fs'
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { ImgError } from '../errors.ts'
import type { RunContext } from '../context.ts'
import { runProgram, type ProgramOptions, type ProgramResult } from '../run/process.ts'

/**
 * It is made of this machine's files with their owners, and in the user namespace our programs run in, all owners but
 * the user are nobody: a setuid mount of nobody's mounts nothing. So it is made out here, where libguestfs would keep
 * it, and named as a fixed one (libguestfs-make-fixed-appliance(1)), which is not made again in there.
 *
 * `directory` is private and takes the folder that is returned, for LIBGUESTFS_PATH. Throws BACKEND_UNAVAILABLE with what
 * supermin said.
 */
export async function keptAppliance(
  directory: string,
  env: Readonly<Record<string, string>>,
  context: RunContext,
): Promise<string> {
  const options = { cwd: directory, env, signal: context.signal }
  const asked = await succeed(['guestfish', 'get-path', ':', 'get-cachedir'], options)
  const [searched = '', cache = ''] = asked.stdout.trim().split('\n')
  const parts = searched.split(':').find((one) => existsSync(path.join(one, 'supermin.d')))
  // Somebody made a fixed one for all.
  if (parts === undefined) return searched
  const kept = path.join(cache, `.guestfs-${context.uid}`)
  await mkdir(kept, { recursive: true, mode: 0o755 })
  const made = path.join(kept, 'appliance.d')
  const lock = path.join(kept, 'lock')
  const what = ['-f', 'ext2', path.join(parts, 'supermin.d'), '-o', made]
  await succeed(['supermin', '--build', '--if-newer', '--lock', lock, '--copy-kernel', ...what], options)
  const fixed = path.join(directory, 'appliance')
  await rm(fixed, { recursive: true, force: true })
  await mkdir(fixed)
  for (const name of ['kernel', 'initrd', 'root'])
    await symlink(path.join(made, name), path.join(fixed, name))
  await writeFile(path.join(fixed, 'README.fixed'), 'The files of this folder are not made again.\n')
  return fixed
}

async function succeed(argv: readonly string[], options: ProgramOptions): Promise<ProgramResult> {
  const result = await runProgram(argv, options)
  if (result.exitCode === 0) return result
  throw new ImgError('BACKEND_UNAVAILABLE', `${argv[0]} cannot make the appliance of libguestfs`, {
    output: (result.stderr + result.stdout).trim(),
    hint: 'run `libguestfs-test-tool` and `img doctor`: a kernel in /boot the user may read is needed',
  })
}
