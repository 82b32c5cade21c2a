import { readFileSync, writeFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readTar, type TarEntry } from '../../../tasks/backends/tar-entries.ts'
import { openTarWriter, type TarWriterOptions } from '../../../tasks/backends/tar-writer.ts'
import { runProgram } from '../../../tasks/run/process.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

const file: TarEntry = {
  path: 'a',
  type: '0',
  mode: 0o640,
  uid: 0,
  gid: 42,
  size: 3,
  mtime: 1_577_836_800,
  link: '',
  device: '',
  attributes: {},
}

const entries: readonly TarEntry[] = [
  { ...file, path: 'etc', type: '5', mode: 0o755, size: 0 },
  file,
  {
    ...file,
    path: `etc/${'long/'.repeat(30)}name`,
    attributes: { 'security.capability': '\u0001\0\0\u0002\xff' },
  },
  { ...file, path: 'link', type: '2', size: 0, link: 'x'.repeat(120) },
  { ...file, path: 'etc/hard', type: '1', size: 0, link: 'a' },
  { ...file, path: 'empty', size: 0, uid: 3_000_000 },
]

function pack(given: readonly TarEntry[], options?: TarWriterOptions): Buffer {
  const parts: Uint8Array[] = []
  const writer = openTarWriter((part) => parts.push(part), options)
  for (const entry of given) {
    writer.entry(entry)
    if (entry.size > 0) writer.content(Buffer.alloc(entry.size, 'x'))
  }
  writer.end()
  return Buffer.concat(parts)
}

async function unpack(tar: Buffer): Promise<{ entries: TarEntry[]; content: string }> {
  const found: TarEntry[] = []
  let content = ''
  await readTar(stream(tar), {
    entry: (entry) => (part) => (content += `${entry.path}:${Buffer.from(part).toString()} `),
    end: (entry) => void found.push(entry),
  })
  return { entries: found, content }
}

async function* stream(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

test('what is written is read again, names, attributes and all', async () => {
  const read = await unpack(pack(entries))
  expect(read.entries).toEqual(entries)
  expect(read.content).toContain('a:xxx ')
})

test('tar reads it, too', async () => {
  const folder = tempFolder()
  writeFileSync(join(folder, 'a.tar'), pack(entries, { align: 4096 }))
  mkdirSync(join(folder, 'out'))
  const list = await runProgram([
    'tar',
    '--list',
    '--verbose',
    '--numeric-owner',
    '--utc',
    '--file',
    join(folder, 'a.tar'),
  ])
  expect(list.stderr).toBe('')
  expect(list.stdout.split('\n')[1]).toBe('-rw-r----- 0/42              3 2020-01-01 00:00 a')
  expect(list.stdout.split('\n')).toHaveLength(entries.length + 1)
  await runProgram([
    'tar',
    '--extract',
    '--no-same-owner',
    '--file',
    join(folder, 'a.tar'),
    '--directory',
    join(folder, 'out'),
    'a',
  ])
  expect(readFileSync(join(folder, 'out', 'a'), 'utf8')).toBe('xxx')
})

test('contents begin where they are wanted', () => {
  const marked = entries.map((entry) => ({ ...entry, size: entry.type === '0' ? 5000 : 0 }))
  const tar = pack(marked, { align: 4096 })
  const starts = [...tar.toString('latin1').matchAll(/(?<!x)x{5000}(?!x)/g)].map(({ index }) => index)
  expect(starts).toHaveLength(3)
  expect(starts.filter((start) => start % 4096 !== 0)).toEqual([])
})

test('content that is missing is a mistake of the caller', () => {
  const writer = openTarWriter(() => undefined)
  writer.entry(file)
  expect(() => writer.entry(file)).toThrow('3 bytes of content are missing before a')
})
