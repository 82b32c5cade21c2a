// The sysprep step: virt-sysprep on the disk's file, with the operations of the step and no other.

import type { StepOf } from '../plan/step.ts'
import { ImgError } from '../errors.ts'
import { suggestHint } from '../plan/suggest.ts'
import { runProgram } from '../run/process.ts'
import { guestfsEnv, insideOwnNamespace } from './libguestfs-programs.ts'
import { failure, type Build } from './namespace-build.ts'

/**
 * Without `--operations`, or with `customize` among them, virt-sysprep would write a new machine-id and a random seed
 * after it had removed the old ones. An operation this version lacks stops the layer before the disk is touched.
 */
export async function runSysprepStep(build: Build, step: StepOf<'sysprep'>, disk: string): Promise<void> {
  const { context, work } = build
  const env = await guestfsEnv(work.directory, context)
  const listed = await runProgram(['virt-sysprep', '--list-operations'], { env, signal: context.signal })
  requireOperations(step.operations, readOperations(listed.stdout), work.layer)
  const operations = `--operations=${step.operations.join(',')}`
  const argv = ['virt-sysprep', '--no-network', '--format=raw', `--add=${disk}`, operations]
  const result = await runProgram(insideOwnNamespace(argv, context), {
    cwd: work.directory,
    env,
    signal: context.signal,
    log: work.log,
    onOutput: (text, stream) => context.emit({ event: 'output', layer: work.layer, stream, text }),
  })
  if (result.exitCode !== 0) throw await failure(build, 'virt-sysprep', result)
}

/** Names from the table virt-sysprep prints: name, an asterisk for those on by default, what they do. Pure. */
export const readOperations = (table: string): readonly string[] =>
  table.split('\n').flatMap((line) => /^([a-z0-9-]+)\s/.exec(line)?.[1] ?? [])

/** Pure. */
export function requireOperations(asked: readonly string[], known: readonly string[], layer: string): void {
  const missing = asked.find((name) => !known.includes(name))
  if (missing === undefined) return
  throw new ImgError(
    'TOOL_MISSING',
    `layer ${layer}: the installed virt-sysprep has no operation ${missing}`,
    {
      layer,
      found: missing,
      hint: suggestHint(missing, known, 'operations'),
      validOptions: known,
    },
  )
}
