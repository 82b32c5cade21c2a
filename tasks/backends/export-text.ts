import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { uuidV5 } from '../plan/disk-layout.ts'
import { fillPlaceholders, type Placeholder } from '../plan/placeholders.ts'
import type { StepOf } from '../plan/step.ts'
import { digestFile, fileOf, newFile, sizeOf, type Export } from './export-files.ts'

export async function emitText(making: Export, step: StepOf<'emit'>): Promise<void> {
  const text = await fillPlaceholders(step.text, (placeholder) => factOf(making, placeholder))
  await writeFile(await newFile(making, step.to), text)
}

/** Of every file made before, in the order of their names. */
export async function writeChecksums(making: Export, step: StepOf<'checksums'>): Promise<void> {
  const lines: string[] = []
  for (const name of [...making.files.keys()].toSorted()) {
    lines.push(`${await digestFile(fileOf(making, name), step.algorithm)}  ${name}\n`)
  }
  await writeFile(await newFile(making, step.to), lines.join(''))
}

async function factOf(making: Export, { fact, of }: Placeholder): Promise<string> {
  const { key } = making.work
  switch (fact) {
    case 'size':
      return String(await sizeOf(fileOf(making, of)))
    case 'sha256':
    case 'sha512':
      return digestFile(fileOf(making, of), fact)
    case 'images':
      return nameImages(making, of)
    case 'disk-bytes':
      return String(await diskBytes(making))
    case 'disk-gib':
      return String(Math.ceil((await diskBytes(making)) / 1024 ** 3))
    case 'machine':
      return machines[making.work.arch] ?? making.work.arch
    case 'deb-arch':
      return making.work.arch
    case 'key':
      return key
    case 'uuid':
      return uuidV5(`${key}:${of}`)
    case 'hex6':
      return createHash('sha256').update(`${key}:${of}`).digest('hex').slice(0, 6)
  }
  throw new Error(`there is no fact ${fact}`)
}

async function nameImages(making: Export, of: string): Promise<string> {
  const names = making.images.get(of) ?? [of]
  const pairs = names.map(async (name) => `${name}:${await digestFile(fileOf(making, name), 'sha256')}`)
  return (await Promise.all(pairs)).join(',')
}

/** Of the disk itself: where it is lent to the tools it looks empty from outside their namespace. */
const diskBytes = ({ work, disk }: Export): Promise<number> => sizeOf(work.parentDisk ?? disk)

const machines: Readonly<Record<string, string>> = {
  amd64: 'x86_64',
  arm64: 'aarch64',
  armhf: 'armv7l',
  i386: 'i686',
}
