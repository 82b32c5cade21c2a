// The step that makes an OCI image: a layout folder, and the same as one archive for `podman load` and `docker load`.

import { createReadStream } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { StepOf } from '../plan/step.ts'
import { eachChange } from './export-changes.ts'
import { digestFile, fileOf, newFile, sizeOf, type Export } from './export-files.ts'
import { writeTar } from './export-tar.ts'
import { runTool } from './namespace-build.ts'
import { insideTools } from './namespace-mounts.ts'
import { whiteoutOf } from './oci-changes.ts'
import { blobName, makeOciDocuments, type OciLayer } from './oci-image.ts'
import type { TarEntry } from './tar-entries.ts'
import type { TarWriter } from './tar-writer.ts'

export async function makeOciImage(making: Export, step: StepOf<'oci'>): Promise<void> {
  const { layers: from } = step
  const layers =
    from.of === 'chain' ? await chainLayers(making, step, from) : [await fileLayer(making, step, from)]
  const documents = makeOciDocuments({
    layers,
    arch: making.work.arch,
    reference: step.reference,
    config: step.config,
    created: making.epoch,
  })
  for (const { name, text } of documents) await writeFile(await newFile(making, name), text)
  await makeArchive(making, step.to, [
    ...documents.map(({ name }) => name),
    ...layers.map(({ digest }) => blobName(digest)),
  ])
}

type Compress = StepOf<'oci'>['compress']
type From<Of extends StepOf<'oci'>['layers']['of']> = Extract<StepOf<'oci'>['layers'], { of: Of }>

/** One for each layer of the chain: what it changed in the one below. */
async function chainLayers(
  making: Export,
  { compress }: { readonly compress: Compress },
  { exclude }: From<'chain'>,
): Promise<readonly OciLayer[]> {
  const layers: OciLayer[] = []
  await eachChange(making, { disks: [...making.chain, making.disk], exclude }, async ({ removed, copy }) => {
    const fill = async (writer: TarWriter): Promise<void> => {
      for (const gone of removed) {
        const mark = { ...folder, type: '0', mode: 0o644, mtime: making.epoch, path: whiteoutOf(gone) }
        writer.entry(mark)
      }
      await copy(writer)
    }
    layers.push(await writeLayer(making, compress, fill))
  })
  return layers
}

/** One file as the only one of the image. */
async function fileLayer(
  making: Export,
  { compress }: { readonly compress: Compress },
  { file, path: to, uid }: From<'file'>,
): Promise<OciLayer> {
  const source = fileOf(making, file)
  const layer = await writeLayer(making, compress, async (writer) => {
    const own = { ...folder, uid, gid: uid, mtime: making.epoch }
    for (let slash = to.indexOf('/'); slash > 0; slash = to.indexOf('/', slash + 1)) {
      writer.entry({ ...own, path: to.slice(0, slash) })
    }
    writer.entry({ ...own, path: to, type: '0', mode: 0o440, size: await sizeOf(source) })
    for await (const part of createReadStream(source)) writer.content(part as Buffer)
  })
  making.files.delete(file)
  return layer
}

const folder: TarEntry = {
  path: '',
  type: '5',
  mode: 0o555,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: 0,
  link: '',
  device: '',
  attributes: {},
}

/** A layer's tar, compressed under the name of its digest. */
async function writeLayer(
  making: Export,
  compress: Compress,
  fill: (writer: TarWriter) => Promise<void>,
): Promise<OciLayer> {
  const tar = path.join(making.folders.work, 'layer.tar')
  const blob = `${tar}.${compress}`
  const diffId = await writeTar(tar, fill)
  const [from, to] = [insideTools(making.folders, tar), insideTools(making.folders, blob)]
  const programs = { gzip: 'gzip -n -6 -c', zstd: 'zstd -q -9 --single-thread -c' }
  await runTool(making, ['sh', '-euc', `${programs[compress]} <"$1" >"$2"`, 'sh', from, to], {
    what: 'compressing a layer',
  })
  await rm(tar)
  const digest = await digestFile(blob, 'sha256')
  const size = await sizeOf(blob)
  const name = blobName(digest)
  await rename(blob, making.files.get(name) ?? (await newFile(making, name)))
  return { mediaType: `application/vnd.oci.image.layer.v1.tar+${compress}`, digest, diffId, size }
}

/** Blobs begin where a store that cuts at multiples of 4 KiB finds them again: they take no room a second time. */
async function makeArchive(making: Export, name: string, members: readonly string[]): Promise<void> {
  const sources = [...new Set(members)].map((member) => ({ member, file: fileOf(making, member) }))
  const to = await newFile(making, name)
  const fill = async (writer: TarWriter): Promise<void> => {
    for (const { member, file } of sources) {
      writer.entry({
        ...folder,
        type: '0',
        mode: 0o644,
        mtime: making.epoch,
        path: member,
        size: await sizeOf(file),
      })
      for await (const part of createReadStream(file)) writer.content(part as Buffer)
    }
  }
  await writeTar(to, fill, { align: 4096 })
}
