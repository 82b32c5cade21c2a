// Templates of a few bytes, and a reader of repositories that trusts nothing.

import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hashFile } from '../../cache/repository/hash-file.ts'
import type { PublicKey } from '../../cache/repository/gpg-keys.ts'
import type { NewTemplate } from '../../cache/repository/publish.ts'
import { verifyIndex } from '../../cache/repository/read-repository.ts'
import { indexProblems, readSection, type TemplateEntry } from '../../cache/repository/template-entry.ts'

export function smallTemplate(
  id: string,
  content: string,
  more: Partial<NewTemplate['entry']> = {},
): NewTemplate {
  return {
    entry: {
      id,
      arch: 'x86_64',
      sha512: createHash('sha512').update(content).digest('hex'),
      format: 'raw',
      size: 1024 * 1024,
      compressedSize: Buffer.byteLength(content),
      notes: {},
      aliases: [],
      hidden: false,
      ...more,
    },
    write: (to) => writeFile(to, content),
  }
}

/** Reads a repository as a client does; throws unless all that its signed index names is there as it says. */
export async function readWhole(dir: string, key: PublicKey): Promise<readonly TemplateEntry[]> {
  const file = await readFile(join(dir, 'index.asc'), 'utf8')
  const { sections } = await verifyIndex(file, key, 'index.asc')
  const problems = indexProblems(sections)
  if (problems.length > 0) throw new Error(problems.join('; '))
  const entries = sections.map((section) => readSection(section) as TemplateEntry)
  for (const entry of entries) {
    const found = await hashFile(join(dir, entry.file), 'sha512')
    if (found?.digest !== entry.sha512) throw new Error(`${entry.file} is not what the index says`)
  }
  return entries
}
