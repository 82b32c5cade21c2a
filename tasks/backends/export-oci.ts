// The step that makes an OCI image: a layout folder, and the same as one archive for `podman load` and `docker load`.

import { createHash, type Hash } from 'node:crypto'
import { closeSync, createReadStream, openSync, writeSync } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { StepOf } from '../plan/step.ts'
import { fileOf, newFile, sizeOf, type Export } from './export-files.ts'
import { mountTree } from './export-trees.ts'
import { runOnHost, runTool } from './namespace-build.ts'
import { insideTools } from './namespace-mounts.ts'
import { isLeftOut, treeChanges, whiteoutOf, type Changes, type Tree, type TreeFile } from './oci-changes.ts'
import { blobName, makeOciDocuments, type OciLayer } from './oci-image.ts'
import { readTar, type TarEntry } from './tar-entries.ts'
import { openTarWriter, type TarWriter } from './tar-writer.ts'
import { tarOptions } from './tool-tree.ts'

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
  let below: Tree = new Map()
  for (const disk of [...making.chain, making.disk]) {
    const tar = path.join(making.folders.work, 'tree.tar')
    const root = await mountTree(making, disk)
    await runOnHost(making, ['tar', '--create', '--file', tar, ...tarOptions, '--directory', root, '.'], {
      what: 'reading the files of a layer',
    })
    const tree = await readTree(tar, exclude)
    const changes = treeChanges(below, tree)
    layers.push(
      await writeLayer(making, compress, (writer) =>
        writeChanges(writer, { tar, changes, epoch: making.epoch }),
      ),
    )
    await rm(tar)
    below = tree
  }
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

async function readTree(tar: string, exclude: readonly string[]): Promise<Tree> {
  const tree = new Map<string, TreeFile>()
  let content: Hash = createHash('sha256')
  await readTar(createReadStream(tar, { highWaterMark: readSize }), {
    entry: (entry) => {
      if (entry.type !== '0' || isLeftOut(entry, exclude)) return undefined
      content = createHash('sha256')
      return (part) => void content.update(part)
    },
    end: (entry) => {
      if (isLeftOut(entry, exclude)) return
      tree.set(entry.path, { entry, content: entry.type === '0' ? content.digest('hex') : '' })
    },
  })
  return tree
}

const readSize = 1024 * 1024

async function writeChanges(
  writer: TarWriter,
  { tar, changes, epoch }: { readonly tar: string; readonly changes: Changes; readonly epoch: number },
): Promise<void> {
  for (const removed of changes.removed) {
    writer.entry({ ...folder, type: '0', mode: 0o644, mtime: epoch, path: whiteoutOf(removed) })
  }
  await readTar(createReadStream(tar, { highWaterMark: readSize }), {
    entry: (entry) => {
      if (!changes.written.has(entry.path)) return undefined
      writer.entry(entry)
      return (part) => writer.content(part)
    },
    end: () => undefined,
  })
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
  const hash = createHash('sha256')
  for await (const part of createReadStream(blob, { highWaterMark: readSize })) hash.update(part as Buffer)
  const digest = hash.digest('hex')
  const size = await sizeOf(blob)
  const name = blobName(digest)
  await rename(blob, making.files.get(name) ?? (await newFile(making, name)))
  return { mediaType: `application/vnd.oci.image.layer.v1.tar+${compress}`, digest, diffId, size }
}

async function writeTar(
  file: string,
  fill: (writer: TarWriter) => Promise<void>,
  options: { readonly align?: number } = {},
): Promise<string> {
  const descriptor = openSync(file, 'wx')
  const hash = createHash('sha256')
  let waiting: Uint8Array[] = []
  let bytes = 0
  const flush = (): void => {
    const all = Buffer.concat(waiting)
    for (let done = 0; done < all.length;) done += writeSync(descriptor, all, done)
    waiting = []
    bytes = 0
  }
  try {
    const writer = openTarWriter((part) => {
      hash.update(part)
      // A part may be a piece of a buffer that is used again.
      waiting.push(Uint8Array.prototype.slice.call(part))
      bytes += part.length
      if (bytes >= readSize) flush()
    }, options)
    await fill(writer)
    writer.end()
    flush()
  } finally {
    closeSync(descriptor)
  }
  return hash.digest('hex')
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
