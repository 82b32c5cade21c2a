// A disk as a template of virt-builder: compressed in blocks, and what an index says of it.

import { appendFile, writeFile } from 'node:fs/promises'
import { compressXz } from '../../cache/compress-xz.ts'
import { readValue, writeValue } from '../../cache/values.ts'
import { ImgError } from '../errors.ts'
import type { StepOf } from '../plan/step.ts'
import type { TemplateFile } from '../plan/template-file.ts'
import { newFile, type Export } from './export-files.ts'
import { inspectTemplate, type Inspection } from './export-inspect.ts'

export async function makeTemplate(making: Export, step: StepOf<'template'>): Promise<void> {
  const { work, context } = making
  // Not the place it is lent at: that is seen in the namespace only.
  const disk = work.parentDisk!
  const found = await inspectTemplate(making)
  const expand = step.expand ?? found.expand
  if (expand === undefined) throw noRoot(work.layer, found)
  const lvexpand = step.expand === undefined ? found.lvexpand : step.lvexpand
  const osinfo = step.osinfo ?? found.osinfo
  const to = await newFile(making, step.to)
  const { cacheDir, signal } = context
  const made = await compressXz(disk, to, {
    signal,
    memory: {
      readValue: (key) => Promise.resolve(readValue(cacheDir, key)),
      writeValue: (key, value) => writeValue(cacheDir, key, value),
    },
  })
  await appendFile(work.log, `xz: ${made.compressedBlocks} of ${made.blocks} blocks compressed\n`)
  const facts: TemplateFile = {
    format: 1,
    title: found.title === undefined ? step.title : `${step.title} (${found.title})`,
    ...(osinfo === undefined ? {} : { osinfo }),
    arch: machineOf(work.arch),
    file: step.to,
    sha512: made.sha512,
    diskFormat: 'raw',
    size: made.size,
    compressedSize: made.compressedSize,
    expand,
    ...(lvexpand === undefined ? {} : { lvexpand }),
    notes: step.notes,
    aliases: step.aliases,
    hidden: step.hidden,
  }
  await writeFile(await newFile(making, step.facts), `${JSON.stringify(facts, undefined, 2)}\n`)
}

/** The kernel's name for Debian's. */
function machineOf(arch: string): string {
  return machines[arch] ?? arch
}

const machines: Readonly<Record<string, string>> = {
  amd64: 'x86_64',
  arm64: 'aarch64',
  armhf: 'armv7l',
  i386: 'i686',
  ppc64el: 'ppc64le',
}

function noRoot(layer: string, { partitions }: Inspection): ImgError {
  const seen = partitions.length === 0 ? 'no partition' : partitions.join(', ')
  return new ImgError('STEP_FAILED', `layer ${layer}: no partition of the disk holds an installed system`, {
    layer,
    found: seen,
    hint: "say which partition grows: template(from, { expand: '/dev/sda1' })",
  })
}
