import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { fileHeader, folderHeader, padding, trailer } from '../../../tasks/backends/cpio-writer.ts'
import { findProgram } from '../../../tasks/run/find-program.ts'

const archive = (files: Readonly<Record<string, string>>): Buffer => {
  const parts = [folderHeader('img-root', 1)]
  for (const [index, [path, text]] of Object.entries(files).entries()) {
    const size = Buffer.byteLength(text)
    parts.push(fileHeader({ path, size }, index + 2), Buffer.from(text), Buffer.alloc(padding(size)))
  }
  return Buffer.concat([...parts, trailer()])
}

const files = { 'img-root/a': 'one', 'img-root/bc': 'four', 'img-root/none': '' }

test('every entry begins at a multiple of four bytes, and depends on nothing else', () => {
  const bytes = archive(files)
  expect(bytes.length % 4).toBe(0)
  expect(bytes.equals(archive(files))).toBe(true)
  for (const match of bytes.toString('latin1').matchAll(/070701/g)) expect(match.index % 4).toBe(0)
})

test.runIf(findProgram('cpio') !== undefined)('cpio reads it', () => {
  const read = (...args: readonly string[]): string =>
    execFileSync('cpio', ['--quiet', ...args], { input: archive(files), encoding: 'utf8' })
  expect(read('--list').trimEnd().split('\n')).toEqual(['img-root', ...Object.keys(files)])
  expect(read('--extract', '--to-stdout', 'img-root/bc')).toBe('four')
})
