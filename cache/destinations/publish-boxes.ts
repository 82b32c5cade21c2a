// Boxes into `<version>/<provider>.box` of a folder, and its `catalog.json`: boxes first, then one rename is the whole
// change, so that who follows the catalog never misses one.

import { join } from 'node:path'
import type { RunContext } from '../../tasks/context.ts'
import { syncPath, writeDurably } from '../durable.ts'
import { readIfThere } from '../read-if-there.ts'
import { aloneInFolder } from './alone-in-folder.ts'
import { type Catalog, mergeCatalog, parseCatalog } from './merge-catalog.ts'
import { placeFile } from './place-file.ts'
import type { TargetFiles } from './target-files.ts'

export interface PublishedBoxes {
  readonly status: 'new' | 'changed' | 'unchanged'
  readonly box: string
  readonly version: string
  /** Below the folder. */
  readonly files: readonly string[]
}

export async function publishBoxes(
  files: TargetFiles,
  dir: string,
  context: Pick<RunContext, 'signal'>,
): Promise<PublishedBoxes> {
  const made = parseCatalog((await files.read(catalogName)).toString(), catalogName)
  const { version, boxes } = await findOwn(files, made)
  return aloneInFolder(dir, context, async ({ tmp }) => {
    const path = join(dir, catalogName)
    const before = await readIfThere(path)
    const published = before === undefined ? { ...made, versions: [] } : parseCatalog(before, path)
    const catalog = mergeCatalog({ published, made, own: version }, path)
    for (const { file, sha256 } of boxes) {
      await placeFile(files, file, { to: join(dir, version, file), tmp, sha256 })
    }
    await syncPath(dir)
    const text = `${JSON.stringify(catalog, null, 2)}\n`
    if (text !== before) {
      await writeDurably(path, text, tmp)
      await syncPath(dir)
    }
    return {
      status: before === undefined ? 'new' : text === before ? 'unchanged' : 'changed',
      box: made.name,
      version,
      files: boxes.map(({ file }) => `${version}/${file}`),
    }
  })
}

const catalogName = 'catalog.json'

interface Own {
  readonly version: string
  readonly boxes: readonly { readonly file: string; readonly sha256: string }[]
}

/** Of the versions the target's catalog has, the one whose checksums are those of its boxes. */
async function findOwn(files: TargetFiles, made: Catalog): Promise<Own> {
  const sums = new Map(
    (await files.read('SHA256SUMS'))
      .toString()
      .split('\n')
      .map((line) => [line.slice(66), line.slice(0, 64)] as const),
  )
  for (const { version, providers } of made.versions) {
    const boxes = providers.map(({ name, checksum }) => ({ file: `${name}.box`, sha256: checksum ?? '' }))
    if (boxes.every(({ file, sha256 }) => sums.get(file) === sha256)) return { version, boxes }
  }
  throw new Error('no version of the catalog has the checksums of the boxes')
}
