// A machine's whole system in one file: an initramfs that carries the images of the root filesystem, and a kernel image
// for UEFI that carries that.

import { createReadStream } from 'node:fs'
import { open, readFile, rename, rm, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { ImgError } from '../errors.ts'
import type { StepOf } from '../plan/step.ts'
import { fileHeader, folderHeader, largestFile, padding, trailer } from './cpio-writer.ts'
import { fileOf, newFile, sizeOf, type Export } from './export-files.ts'
import { runTool } from './namespace-build.ts'
import { insideTools } from './namespace-mounts.ts'
import { placeSections } from './uki-sections.ts'

/** Kernels unpack one archive after the other; each begins at a multiple of four bytes. */
export async function makeInitramfs(making: Export, step: StepOf<'initramfs'>): Promise<void> {
  const initrd = fileOf(making, step.to)
  const images = new Set(making.images.get(step.images) ?? [step.images])
  const file = await open(initrd, 'a')
  try {
    await fill(file, padding(await sizeOf(initrd)))
    await file.writeFile(folderHeader(step.folder, 1))
    for (const [index, image] of [...images].entries()) {
      const size = await sizeOf(fileOf(making, image))
      if (size > largestFile) throw tooLarge(making, image)
      await file.writeFile(fileHeader({ path: `${step.folder}/${image}`, size }, index + 2))
      await append(file, fileOf(making, image))
      await fill(file, padding(size))
    }
    await file.writeFile(trailer())
  } finally {
    await file.close()
  }
  for (const image of images) await drop(making, image)
}

export async function makeUki(making: Export, step: StepOf<'uki'>): Promise<void> {
  const stub = path.join(making.folders.work, 'stub.efi')
  const copy = ['cp', '--', stubs[making.work.arch] ?? stubs['amd64']!, insideTools(making.folders, stub)]
  await runTool(making, copy, { what: 'reading the boot stub' })
  const parts = [
    { name: '.osrel', file: step.osRelease },
    { name: '.cmdline', file: step.cmdline },
    { name: '.initrd', file: step.initrd },
    { name: '.linux', file: step.kernel, code: true },
  ]
  const sections = await Promise.all(
    parts.map(async (part) => ({ ...part, size: await sizeOf(fileOf(making, part.file)) })),
  )
  const placed = placeSections(await readFile(stub), sections)
  if (placed === undefined) throw wrongStub(making)
  const made = `${stub}.uki`
  const file = await open(made, 'wx')
  try {
    await file.writeFile(placed.program)
    let end = placed.program.length
    for (const [index, { file: part, size }] of sections.entries()) {
      await fill(file, placed.offsets[index]! - end)
      await append(file, fileOf(making, part))
      end = placed.offsets[index]! + size
    }
    await fill(file, placed.size - end)
  } finally {
    await file.close()
  }
  await rm(stub)
  for (const { file: part } of parts) await drop(making, part)
  await rename(made, await newFile(making, step.to))
}

/** systemd's, of the tool tree. */
const stubs: Readonly<Record<string, string>> = {
  amd64: '/usr/lib/systemd/boot/efi/linuxx64.efi.stub',
  arm64: '/usr/lib/systemd/boot/efi/linuxaa64.efi.stub',
}

const fill = (file: FileHandle, zeros: number): Promise<void> => file.writeFile(Buffer.alloc(zeros))

async function append(file: FileHandle, from: string): Promise<void> {
  for await (const part of createReadStream(from, { highWaterMark: 1024 * 1024 })) {
    await file.writeFile(part as Buffer)
  }
}

/** It is a part of another file now. */
async function drop(making: Export, name: string): Promise<void> {
  await rm(fileOf(making, name))
  making.files.delete(name)
}

const tooLarge = ({ work }: Export, image: string): ImgError =>
  new ImgError('STEP_FAILED', `layer ${work.layer}: ${image} is larger than an initramfs can carry, 4 GiB`, {
    layer: work.layer,
    hint: "let the machines fetch it: form: 'http'",
  })

const wrongStub = ({ work }: Export): ImgError =>
  new ImgError(
    'STEP_FAILED',
    `layer ${work.layer}: the boot stub of the tool tree has no room for sections`,
    {
      layer: work.layer,
      hint: 'use a tool tree of the same release as img does by default',
    },
  )
