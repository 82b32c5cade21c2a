// The files of a target while they are made.

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { ImgError } from '../errors.ts'
import type { Build } from './namespace-build.ts'

export interface Export extends Build {
  /** The disk the target is made from, in the work folder and read-only. */
  readonly disk: string
  /** Disks of what that stands on, oldest first. */
  readonly chain: readonly string[]
  /** Where files are made. */
  readonly out: string
  /** Made so far: absolute path by name, in order. */
  readonly files: Map<string, string>
  /** Names of the files that were made under one name, in order. */
  readonly images: Map<string, readonly string[]>
}

/** Where a file is to be written; it counts as made from here on. */
export async function newFile(making: Export, name: string): Promise<string> {
  if (making.files.has(name)) throw mistake(making, `makes ${name} twice`)
  const file = path.join(making.out, name)
  await mkdir(path.dirname(file), { recursive: true })
  making.files.set(name, file)
  return file
}

export function fileOf(making: Export, name: string): string {
  const file = making.files.get(name)
  if (file !== undefined) return file
  throw mistake(making, `asks for the file ${name} before it is made`)
}

/** Digest over the names and contents of all files. */
export async function digestFiles(making: Export): Promise<string> {
  const total = createHash('sha256').update('img files 1\n')
  for (const name of [...making.files.keys()].toSorted()) {
    total.update(`${JSON.stringify([name, await digestFile(fileOf(making, name), 'sha256')])}\n`)
  }
  return total.digest('hex')
}

export async function digestFile(file: string, algorithm: 'sha256' | 'sha512'): Promise<string> {
  const hash = createHash(algorithm)
  for await (const part of createReadStream(file, { highWaterMark: 1024 * 1024 })) {
    hash.update(part as Buffer)
  }
  return hash.digest('hex')
}

export async function sizeOf(file: string): Promise<number> {
  return (await stat(file)).size
}

/** What only a recipe can do wrong. */
const mistake = ({ work }: Export, what: string): ImgError =>
  new ImgError('STEP_FAILED', `layer ${work.layer}: a step ${what}`, {
    layer: work.layer,
    hint: "this is a mistake in the target's recipe: correct the order or the names of its steps",
  })
