// What a template target made, for publishing.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { NewTemplate } from '../../cache/repository/publish.ts'
import { inFolder } from '../../cache/repository/in-folder.ts'
import type { TemplateFile } from '../plan/template-file.ts'
import type { LayerDisks } from './layer-disks.ts'

/** Builds the target when it is not there yet. In the repository it is called what stands behind the colon. */
export async function readTemplate(disks: LayerDisks, layer: string): Promise<NewTemplate> {
  const { arch, osinfo, title, sha512, diskFormat, ...facts } = await readFacts(disks, layer)
  const { size, compressedSize, expand, lvexpand, notes, aliases, hidden } = facts
  return {
    entry: {
      id: layer.slice(layer.indexOf(':') + 1),
      name: title,
      ...(osinfo === undefined ? {} : { osinfo }),
      arch,
      sha512,
      format: diskFormat,
      size,
      compressedSize,
      expand,
      ...(lvexpand === undefined ? {} : { lvexpand }),
      notes,
      aliases,
      hidden,
    },
    write: (to) => disks.restore(layer, facts.file, to),
  }
}

const factsName = 'template.json'

const readFacts = (disks: LayerDisks, layer: string): Promise<TemplateFile> =>
  inFolder(async (folder) => {
    const path = join(folder, factsName)
    await disks.restore(layer, factsName, path)
    return JSON.parse(await readFile(path, 'utf8')) as TemplateFile
  })
