// Makes files of a finished disk: runs no code of the image, and never writes to the disk. Programs come from the tool
// tree; without root for what reads the disk as a whole, as root for what reads its files.

import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { RunContext } from '../context.ts'
import { sealEpoch } from '../plan/seal.ts'
import type { ExportStep } from '../plan/export-step.ts'
import type { Step } from '../plan/step.ts'
import type { Backend, Work, WorkResult } from './backend.ts'
import { digestFiles, type Export } from './export-files.ts'
import { exportSteps, runExportStep } from './export-steps.ts'
import { announce, explainWrite, runOnHost, type Build } from './namespace-build.ts'
import { makeFolders, mountTools } from './namespace-mounts.ts'
import { probeNamespace } from './namespace-probe.ts'
import { openNamespace } from './namespace-session.ts'
import { readToolVersions } from './tool-versions.ts'

export function exportBackend(): Backend {
  const mounts = new Set<Step['do']>(['extract', 'oci', 'squashfs'])
  return { name: 'export', modes: ['export'], steps: exportSteps(), mounts, probe: probeNamespace, run }
}

async function run(work: Work, context: RunContext): Promise<WorkResult> {
  const { parentDisk, tools } = work
  if (parentDisk === undefined) throw new Error(`target ${work.layer} has no disk to be made from`)
  if (tools === undefined) throw new Error(`target ${work.layer} has no tool tree`)
  const folders = makeFolders(work.directory)
  const session = await openNamespace({
    directory: path.join(folders.work, 'mounts'),
    userNamespace: context.uid !== 0,
    signal: context.signal,
    log: work.log,
  })
  const build = { work, context, session, folders, epoch: sealEpoch, cut: sealEpoch }
  try {
    const disks: string[] = []
    for (const disk of [...work.chain, parentDisk]) disks.push(await lendDisk(build, disk, disks.length))
    // What is mounted later in the work folder is not seen through the tool tree.
    await mountTools(session, folders, tools)
    const out = path.join(folders.work, 'out')
    await mkdir(out)
    const making: Export = {
      ...build,
      disk: disks.at(-1)!,
      chain: disks.slice(0, -1),
      out,
      files: new Map(),
      images: new Map(),
    }
    for (const [index, step] of work.steps.entries()) {
      announce(build, index)
      await runExportStep(making, toExportStep(step))
    }
    return {
      files: Object.fromEntries(making.files),
      treeDigest: await digestFiles(making),
      toolVersions: await readToolVersions(build),
    }
  } catch (error) {
    throw explainWrite(work, error)
  } finally {
    await session.close()
  }
}

/** Programs of the tool tree see only the work folder, so the disk is put there, read-only. */
async function lendDisk(build: Build, disk: string, place: number): Promise<string> {
  const at = path.join(build.folders.work, 'disks', `${place}.raw`)
  await mkdir(path.dirname(at), { recursive: true })
  await writeFile(at, '')
  const script = 'mount --bind "$1" "$2"; mount -o remount,bind,ro "$2" || test "$3" != 0'
  await runOnHost(build, ['sh', '-euc', script, 'sh', disk, at, String(build.context.uid)], {
    what: 'lending the disk',
  })
  return at
}

function toExportStep(step: Step): ExportStep {
  if (exportSteps().has(step.do)) return step as ExportStep
  throw new Error(`${step.do} is no step of export mode`)
}
