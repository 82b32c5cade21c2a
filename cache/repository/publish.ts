// Templates into a virt-builder repository. New files come under names made of their content, then one rename of
// index.asc is the whole change: who reads finds the old repository or the new one, whenever we die.

import { readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunContext } from '../../tasks/context.ts'
import { ImgError } from '../../tasks/errors.ts'
import { aloneInFolder } from '../destinations/alone-in-folder.ts'
import { syncPath, writeDurably } from '../durable.ts'
import { errnoOf } from '../store-error.ts'
import { hashFile } from './hash-file.ts'
import { commitIndex } from './commit-index.ts'
import type { SigningKey } from './gpg-keys.ts'
import { loadHistory, noteReplaced, oldFiles, renderHistory, type History } from './history.ts'
import type { IndexSection } from './index-text.ts'
import { planPublication, type PublishedTemplate, type TemplateFacts } from './plan-publication.ts'
import { identityOf, readSection, type TemplateEntry } from './template-entry.ts'
import { readRepository } from './read-repository.ts'

export interface NewTemplate {
  readonly entry: TemplateFacts
  /** Writes the compressed file to a path where nothing is. */
  readonly write: (to: string) => Promise<void>
}

export interface PublishOptions {
  readonly dir: string
  readonly key: SigningKey
  /** Replaced files kept of each template, and for how many ms at least; 2 and an hour unless told. */
  readonly keep?: number
  readonly grace?: number
}

export interface Published {
  readonly templates: readonly PublishedTemplate[]
  /** Old template files that were removed. */
  readonly removed: readonly string[]
}

export async function publishTemplates(
  templates: readonly NewTemplate[],
  options: PublishOptions,
  context: RunContext,
): Promise<Published> {
  return aloneInFolder(options.dir, context, ({ own, tmp }) =>
    publishAlone(templates, { keep: 2, grace: 3_600_000, ...options, own, tmp }, context),
  )
}

type Publishing = Required<PublishOptions> & {
  /** Folder for what is not the repository's. */
  readonly own: string
  /** An empty one on its file system. */
  readonly tmp: string
}

async function publishAlone(
  templates: readonly NewTemplate[],
  publishing: Publishing,
  context: RunContext,
): Promise<Published> {
  const { dir, own, tmp, key } = publishing
  const before = await readRepository(dir, key)
  const history = await loadHistory(join(own, 'history.json'))
  const { planned, sections, text } = planPublication(
    templates.map(({ entry }) => entry),
    before.sections,
    dir,
  )
  for (const [place, { entry }] of planned.entries())
    await stage(entry, templates[place]!.write, { dir, tmp })
  let known: History = { format: 1, files: { ...history.files } }
  for (const { entry } of planned) {
    const file = { template: identityOf(entry), revision: entry.revision }
    known = { format: 1, files: { ...known.files, [entry.file]: file } }
  }
  await saveHistory(known, publishing)
  for (const { entry } of planned) await putInPlace(entry.file, { dir, tmp })
  await syncPath(dir)
  await checkFiles(sections, dir)
  if (text !== before.text) await commitIndex(text, publishing, context)
  const removed = await collect(known, { ...publishing, sections, now: context.now() })
  return {
    templates: planned.map(({ entry: { id, arch, file, revision }, status }) => ({
      id,
      arch,
      file,
      revision,
      status,
    })),
    removed,
  }
}

/** The file, checked, where a rename puts it under its name; nothing when it is there already and whole. */
async function stage(
  entry: TemplateEntry,
  write: NewTemplate['write'],
  { dir, tmp }: { readonly dir: string; readonly tmp: string },
): Promise<void> {
  if ((await hashFile(join(dir, entry.file), 'sha512'))?.digest === entry.sha512) return
  const staged = join(tmp, entry.file)
  await write(staged)
  const found = await hashFile(staged, 'sha512')
  if (found?.digest !== entry.sha512 || found.size !== entry.compressedSize) {
    throw new ImgError(
      'CACHE_DAMAGED',
      `the file of ${entry.id} is not what was made: its checksum differs`,
      {
        wanted: entry.sha512,
        found: found?.digest ?? 'no file',
        hint: 'nothing was published; `img cache verify --read-data` looks for damage',
      },
    )
  }
  await syncPath(staged)
}

async function putInPlace(
  file: string,
  { dir, tmp }: { readonly dir: string; readonly tmp: string },
): Promise<void> {
  try {
    await rename(join(tmp, file), join(dir, file))
  } catch (cause) {
    // Not staged, because it is there.
    if (errnoOf(cause) !== 'ENOENT') throw cause
  }
}

/** What others published must be there too, or nobody could build from the index we are about to sign. */
async function checkFiles(sections: readonly IndexSection[], dir: string): Promise<void> {
  for (const section of sections) {
    const entry = readSection(section)
    if (!('id' in entry)) continue
    const found = await stat(join(dir, entry.file)).catch((cause: unknown) => {
      if (errnoOf(cause) === 'ENOENT') return undefined
      throw cause
    })
    if (found?.isFile() === true && (entry.compressedSize === 0 || found.size === entry.compressedSize))
      continue
    const what =
      found === undefined ? 'is not there' : `has ${found.size} bytes instead of ${entry.compressedSize}`
    throw new ImgError('REPOSITORY_INVALID', `${entry.file} of ${entry.id} ${what} in ${dir}`, {
      path: join(dir, entry.file),
      hint: `put the file back, or publish ${entry.id} again`,
    })
  }
}

async function collect(
  known: History,
  publishing: Publishing & { readonly sections: readonly IndexSection[]; readonly now: number },
): Promise<readonly string[]> {
  const { dir, sections, keep, grace, now } = publishing
  const entries = sections.map(readSection).flatMap((entry) => ('id' in entry ? [entry.file] : []))
  const noted = noteReplaced(known, new Set(entries), now)
  const old = oldFiles(noted, { keep, grace, now })
  for (const file of old) await rm(join(dir, file), { force: true })
  const left = Object.entries(noted.files).filter(([name]) => !old.includes(name))
  await saveHistory({ format: 1, files: Object.fromEntries(left) }, publishing)
  return old
}

async function saveHistory(history: History, { own, tmp }: Publishing): Promise<void> {
  const path = join(own, 'history.json')
  const text = renderHistory(history)
  if ((await readFile(path, 'utf8').catch(() => '')) === text) return
  // There, what a killed writer left goes with the next.
  await writeDurably(path, text, tmp)
  await syncPath(own)
}
