// Squashfs images that overlayfs mounts over each other: of each disk of a chain, what it changed in the one below.

import { rename, rm } from 'node:fs/promises'
import path from 'node:path'
import type { StepOf } from '../plan/step.ts'
import { digestFile, newFile, type Export } from './export-files.ts'
import { eachChange, type DiskChange } from './export-changes.ts'
import { writeTar } from './export-tar.ts'
import { runTool } from './namespace-build.ts'
import { insideTools } from './namespace-mounts.ts'

export async function makeSquashfs(making: Export, step: StepOf<'squashfs'>): Promise<void> {
  const disks = step.layers === 'chain' ? [...making.chain, making.disk] : [making.disk]
  const images: string[] = []
  await eachChange(making, { disks, exclude: step.exclude }, async (change) => {
    if (change.written.size + change.removed.length > 0) images.push(await writeImage(making, step, change))
  })
  making.images.set(step.to, images)
}

/** The file's name. */
async function writeImage(making: Export, step: StepOf<'squashfs'>, change: DiskChange): Promise<string> {
  const { work } = making.folders
  const [tar, image] = [path.join(work, 'image.tar'), path.join(work, 'image.squashfs')]
  await writeTar(tar, async (writer) => {
    await change.copy(writer, withFolders(change))
    for (const gone of change.removed) writer.entry({ ...whiteout, mtime: making.epoch, path: gone })
  })
  const inside = [tar, image].map((file) => insideTools(making.folders, file))
  const argv = [...options, '-mkfs-time', String(making.epoch), '-root-time', String(making.epoch)]
  await runTool(
    making,
    ['sh', '-euc', 'from=$1 to=$2; shift 2; mksquashfs - "$to" "$@" <"$from"', 'sh', ...inside, ...argv],
    { what: `making ${step.to}` },
  )
  await rm(tar)
  if (step.layers === 'one') {
    await rename(image, await newFile(making, step.to))
    return step.to
  }
  const digest = await digestFile(image, 'sha256')
  const { dir, name, ext } = path.parse(step.to)
  const to = path.join(dir, `${name}-${digest.slice(0, 16)}${ext}`)
  // Two layers may make the same change.
  await rename(image, making.files.get(to) ?? (await newFile(making, to)))
  return to
}

/** mksquashfs writes the same image whatever the number of its threads. */
const options: readonly string[] = [
  ...'-tar -noappend -no-progress -comp zstd -Xcompression-level 15 -b 1M'.split(' '),
  ...'-root-mode 0755 -root-uid 0 -root-gid 0'.split(' '),
]

/** Of a folder that is in several images overlayfs shows the uppermost owner and mode. */
function withFolders({ written, removed }: DiskChange): ReadonlySet<string> {
  const all = new Set(written)
  for (const one of [...written, ...removed]) {
    for (let end = one.lastIndexOf('/'); end > 0; end = one.lastIndexOf('/', end - 1))
      all.add(one.slice(0, end))
  }
  return all
}

/** What overlayfs takes for a path that is gone. */
const whiteout = {
  type: '3',
  mode: 0,
  uid: 0,
  gid: 0,
  size: 0,
  link: '',
  device: '0:0',
  attributes: {},
} as const
