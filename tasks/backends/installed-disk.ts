// What an installer left is looked at before anything stands on it: filesystems clean, packages complete.

import path from 'node:path'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import type { Work } from './backend.ts'
import { inspectDisk } from './disk-inspect.ts'
import { endProcesses, mountDisk, unmountDisk } from './disk-mounts.ts'
import { failure, type Build } from './namespace-build.ts'
import { insideTools, mountTools } from './namespace-mounts.ts'
import { withBuild } from './with-build.ts'

/** Throws STEP_FAILED. Needs root and `work.tools`; the disk lies in `work.directory`. */
export async function checkInstalledDisk(work: Work, file: string, context: RunContext): Promise<void> {
  const { tools } = work
  if (tools === undefined) throw new Error(`layer ${work.layer} is installed without a tool tree`)
  await withBuild(work, context, async (build) => {
    await mountTools(build.session, build.folders, tools)
    await checkFilesystems(build, file)
    // Without root nothing can be mounted; the first step that changes the image says so.
    if (context.uid !== 0) return
    const disk = await mountDisk(build, file)
    await checkPackages(build)
    await endProcesses(build)
    await unmountDisk(build, disk)
  })
}

async function checkFilesystems(build: Build, file: string): Promise<void> {
  for (const part of await inspectDisk(build, file)) {
    if (part.kind !== 'ext4') continue
    const at = `${insideTools(build.folders, file)}?offset=${part.start}`
    const result = await build.session.run(['e2fsck', '-f', '-n', at], { root: build.folders.tools })
    if (result.exitCode === 0) continue
    throw new ImgError(
      'STEP_FAILED',
      `layer ${build.work.layer}: the installed filesystem at byte ${part.start} is not clean`,
      {
        layer: build.work.layer,
        output: result.stdout.trimEnd().split('\n').slice(-20).join('\n'),
        hint: 'the machine ended before it had written everything; build again',
      },
    )
  }
}

const auditors = [
  { file: 'usr/bin/dpkg', argv: ['dpkg', '--audit'] },
  { file: 'usr/bin/rpm', argv: ['rpm', '-Va', '--nofiles', '--nodigest'] },
] as const

async function checkPackages(build: Build): Promise<void> {
  const { session, folders, work } = build
  for (const { file, argv } of auditors) {
    const there = await session.run(['test', '-e', path.join(folders.tree, file)], { quiet: true })
    if (there.exitCode !== 0) continue
    const result = await session.run(argv, { root: folders.tree })
    const complaints = `${result.stdout}${result.stderr}`.trim()
    if (result.exitCode === 0 && complaints === '') continue
    if (complaints === '') throw await failure(build, argv.join(' '), result)
    throw new ImgError('STEP_FAILED', `layer ${work.layer}: packages are not completely installed`, {
      layer: work.layer,
      output: complaints.split('\n').slice(0, 20).join('\n'),
      hint: `look at what the installer did: \`img log ${work.layer}\``,
    })
  }
}
