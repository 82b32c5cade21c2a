// A machine without a disk must not run images that are not those its kernel's command line names.

import { existsSync } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunContext } from '../context.ts'
import type { Check } from './boot-checks.ts'
import { bootLimits, type BootOptions } from './boot-once.ts'
import { describeEnding } from './qemu-ending.ts'
import { Machine } from './qemu-machine.ts'
import { prepareFirmware } from './qemu-files.ts'

/** Changes one bit of the image, and boots. */
export async function checkRefusal(image: string, options: BootOptions, context: RunContext): Promise<Check> {
  await flipBit(image)
  const machine = new Machine({
    parts: {
      ...options.parts,
      accelerator: options.accelerator,
      firmware: await prepareFirmware(options.firmware, options.directory),
      memory: options.memory,
      cpus: options.cpus,
      credentials: {},
      restarts: false,
      console: 'socket',
    },
    limits: bootLimits(options.accelerator, options.limit),
    signal: context.signal,
    ...(options.enter === undefined ? {} : { enter: options.enter }),
  })
  const ending = await machine.ended
  const said = machine.console.tail().split('\n')
  const reason = said.find((line) => line.includes('is not the image this boot was made for'))
  const passed = ending.kind === 'problem' && ending.problem.kind === 'initramfs' && reason !== undefined
  const detail = passed
    ? 'stopped in the initramfs'
    : `a changed image: the machine ${describeEnding(ending)}`
  return { name: 'refuses a changed image', passed, detail }
}

/** The uppermost of `img.root=FILE:SHA256,…`, where it is a file of the folder and not a part of another. */
export async function fetchedImage(folder: string): Promise<string | undefined> {
  const line = await readFile(join(folder, 'cmdline'), 'utf8').catch(() => '')
  const [, images = ''] = /(?:^|\s)img\.root=(\S+)/.exec(line) ?? []
  const name = images.split(',').at(-1)?.split(':')[0] ?? ''
  const image = join(folder, name)
  return name !== '' && existsSync(image) ? image : undefined
}

async function flipBit(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    const place = Math.floor((await file.stat()).size / 2)
    const byte = Buffer.alloc(1)
    await file.read(byte, 0, 1, place)
    byte[0]! ^= 1
    await file.write(byte, 0, 1, place)
  } finally {
    await file.close()
  }
}
