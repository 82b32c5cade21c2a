// Vagrant boxes into a folder, with the catalog clients follow.

import { resolve } from 'node:path'
import { publishBoxes as placeBoxes } from '../../cache/destinations/publish-boxes.ts'
import { formatTable } from '../reporters/format.ts'
import { type Publisher, withFiles } from './publisher.ts'

export const publishBoxes: Publisher = async ({ layers: [layer = ''], disks, call, to }, context) => {
  const dir = resolve(call.cwd, to)
  const published = await withFiles({ disks, layer }, context, (files) => placeBoxes(files, dir, context))
  const { box, version, status, files } = published
  call.print(
    call.json
      ? { to, published: [{ layer, ...published }] }
      : formatTable(files.map((file) => [layer, `${box} ${version}`, status, `${to}/${file}`])),
  )
}
