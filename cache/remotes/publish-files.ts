// The files a build was made from, into a remote: each a blob like all others, found by the digest imgfile.lock leads to.
// An entry names them, so that a registry keeps what would else be referred to by nothing.

import type { Digested } from '../mirror/content.ts'
import { blobOf, sendBlob, createEntry, type Published, type Publisher } from './publish-entry.ts'
import { entryName, valueSubject } from './find-entry.ts'
import { inParallel } from './in-parallel.ts'
import { blobName } from './remote.ts'

export interface UsedFiles {
  /** What they were used for. */
  readonly name: string
  readonly files: readonly Digested[]
  /** Undefined when it is not here any more. */
  readonly read: (sha256: string) => Promise<Buffer | undefined>
}

/** Throws RemoteError. Nothing is said of them unless all are there. */
export async function publishFiles({ name, files, read }: UsedFiles, to: Publisher): Promise<Published> {
  const { remote, signal } = to
  const subject = valueSubject(name)
  if (files.length === 0) return { status: 'there', sent: 0 }
  const isThere = await remote.has(entryName(to.namespace, subject, to.key.id), signal)
  if (isThere && to.mends !== true) return { status: 'there', sent: 0 }
  let sent = 0
  let lost = 0
  await inParallel(files, uploadsAtOnce, async (file) => {
    if (await remote.has(blobName(file.sha256), signal, file.size)) return
    const data = await read(file.sha256)
    if (data === undefined) {
      lost += 1
      return
    }
    const bytes = await sendBlob(blobOf(data), to)
    sent += bytes
  })
  if (lost > 0) return { status: 'there', sent }
  const list = blobOf(Buffer.from(JSON.stringify(files.map(({ sha256: digest, size }) => [digest, size]))))
  sent += await sendBlob(list, to)
  if (isThere) return { status: 'there', sent }
  const refers = [list.digest, ...files.map(({ sha256: digest }) => digest)].map(blobName)
  return { status: await createEntry(subject, { kind: 'value', blob: list.digest }, { ...to, refers }), sent }
}

const uploadsAtOnce = 4
