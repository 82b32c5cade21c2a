// What a target's recipe makes of given files: its texts, archives and checksums are real, only disks are not converted.

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import type { ExportStep } from '../../tasks/plan/export-step.ts'
import { fillPlaceholders } from '../../tasks/plan/placeholders.ts'
import type { Layer } from '../../tasks/plan/recipe.ts'
import { factsOf } from '../recipes/facts.ts'
import { type Content, sha256 } from './target-content.ts'
import { tempFolder } from './temp-folder.ts'

export interface Given {
  /** By name, what other steps would make: `disk.qcow2`. */
  readonly files: Content
  readonly key: string
}

export async function madeFiles(target: Layer, { files: given, key }: Given): Promise<Content> {
  const files = new Map<string, string | Buffer>(Object.entries(given))
  const fill = (text: string): Promise<string> =>
    fillPlaceholders(text, ({ fact, of }) => {
      const known: Readonly<Record<string, string>> = {
        key,
        'disk-gib': '1',
        'deb-arch': 'amd64',
        machine: 'x86_64',
      }
      if (fact === 'size') return String(Buffer.byteLength(files.get(of)!))
      if (fact === 'sha256' || fact === 'sha512') return createHash(fact).update(files.get(of)!).digest('hex')
      return known[fact] ?? `${fact} ${of}`
    })
  for (const step of target.recipes.at(-1)!.steps(factsOf('', '')) as readonly ExportStep[]) {
    if (step.do === 'emit') files.set(step.to, await fill(step.text))
    else if (step.do === 'pack') files.set(step.to, pack(step.files, files))
    else if (step.do === 'checksums') {
      const lines = [...files.keys()].toSorted().map((name) => `${sha256(files.get(name)!)}  ${name}\n`)
      files.set(step.to, lines.join(''))
    } else if (![...files.keys()].some((name) => name.startsWith(step.to.replace(/\.\w+$/, ''))))
      throw new Error(`no ${step.to} is given`)
  }
  return Object.fromEntries(files)
}

/** Their contents are in the archive then, and nowhere else. */
function pack(names: readonly string[], files: Map<string, string | Buffer>): Buffer {
  const folder = tempFolder(Object.fromEntries(names.map((name) => [basename(name), files.get(name)!])))
  for (const name of names) files.delete(name)
  return execFileSync(
    'tar',
    ['--format=ustar', '--mtime=@0', '-cf', '-', ...names.map((name) => basename(name))],
    {
      cwd: folder,
      maxBuffer: 1024 * 1024 * 1024,
    },
  )
}
