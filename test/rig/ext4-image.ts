// Small ext4 filesystems with a bit of everything in them, made without root.

import { chmodSync, linkSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runProgram } from '../../tasks/run/process.ts'

/** Files of all sizes, one with a hole, links of both kinds, a folder of many entries. The same every time. */
export function plantTree(root: string): void {
  mkdirSync(join(root, 'many'), { recursive: true })
  mkdirSync(join(root, 'empty'))
  writeFileSync(join(root, 'nothing'), '')
  writeFileSync(join(root, 'small'), 'a few bytes')
  writeFileSync(join(root, 'large'), pattern(3_000_001, 1))
  writeFileSync(join(root, 'ü "quoted"\n'), pattern(70_000, 2))
  for (let number = 0; number < 700; number++)
    writeFileSync(
      join(root, 'many', `entry-number-${number}`),
      number % 3 === 0 ? '' : pattern(100 + number * 7, number),
    )
  linkSync(join(root, 'small'), join(root, 'many', 'the same as small'))
  symlinkSync('many/entry-number-3', join(root, 'short link'))
  symlinkSync(`many/${'../many/'.repeat(20)}entry-number-4`, join(root, 'long link'))
  chmodSync(join(root, 'small'), 0o4711)
  utimesSync(join(root, 'large'), 1_234_567_890, 1_234_567_890)
}

export async function makeExt4(
  path: string,
  options: { root: string; size?: string; mkfs?: readonly string[] },
): Promise<void> {
  const { root, size = '32M', mkfs = [] } = options
  writeFileSync(path, '')
  await succeed(['truncate', '-s', size, path])
  await succeed(['mkfs.ext4', '-q', '-F', '-d', root, ...mkfs, path])
}

export async function succeed(argv: readonly string[], input?: string): Promise<string> {
  const result = await runProgram(argv, input === undefined ? {} : { input })
  if (result.exitCode !== 0) throw new Error(`${argv.join(' ')} failed: ${result.stderr}`)
  return result.stdout
}

/** Bytes that neither repeat nor compress to nothing, the same for the same seed. */
export function pattern(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length)
  let state = (seed * 2_654_435_761 + 1) >>> 0
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[at] = state >>> 24
  }
  return bytes
}
