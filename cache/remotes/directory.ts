// A folder that machines share, also over NFS: a name appears by link(2), whole and only once. What becomes a name is
// written in its folder `tmp`.

import { randomUUID } from 'node:crypto'
import { link, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { syncUpTo } from '../durable.ts'
import { makeFolder } from '../make-folder.ts'
import { checkName, type ReadOptions, type Remote, RemoteError } from './remote.ts'

export function directoryRemote(folder: string): Remote {
  let swept: Promise<void> | undefined
  return {
    name: folder,
    async read(name, options) {
      checkName(name)
      return faulty(folder, () => readPart(join(folder, name), options))
    },
    async has(name, _, size) {
      checkName(name)
      const found = await faulty(folder, () => stat(join(folder, name)))
      return found?.isFile() === true && (size === undefined || found.size === size)
    },
    async create(name, data, { replaces }) {
      checkName(name)
      const created = await faulty(folder, () =>
        createFile(join(folder, name), data, {
          temporary: join(folder, 'tmp', randomUUID()),
          onWritten: (file) => (swept ??= sweep(file)),
          name: replaces === true ? rename : link,
        }),
      )
      if (created === undefined) throw new RemoteError('unreachable', `${folder} is not there`)
      return created
    },
  }
}

async function readPart(path: string, { limit, range }: ReadOptions): Promise<Buffer> {
  const handle = await open(path, 'r')
  try {
    const { size } = await handle.stat()
    const start = Math.min(range?.start ?? 0, size)
    const length = Math.min(range?.end ?? size, size) - start
    if (length > limit) throw new RemoteError('answer', `${path} has ${length} bytes, more than ${limit}`)
    const bytes = Buffer.allocUnsafe(length)
    const { bytesRead } = await handle.read(bytes, 0, length, start)
    return bytes.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

interface Writing {
  readonly temporary: string
  /** Told the whole temporary file, before it gets its name. */
  readonly onWritten: (file: string) => Promise<void>
  /** link(2), which refuses a name that is taken, or rename(2), which takes it. */
  readonly name: (from: string, to: string) => Promise<void>
}

async function createFile(
  path: string,
  data: Buffer,
  { temporary, onWritten, name }: Writing,
): Promise<'created' | 'there'> {
  const folder = dirname(path)
  const made = makeFolder(folder)
  makeFolder(dirname(temporary))
  try {
    const handle = await open(temporary, 'wx', 0o644)
    try {
      await handle.writeFile(data)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await onWritten(temporary)
    const created = await name(temporary, path).then(
      () => 'created' as const,
      (cause: unknown) => {
        if (codeOf(cause) === 'EEXIST') return 'there' as const
        throw cause
      },
    )
    // An entry that survives a power cut which the blobs under it do not would never be mended.
    await syncUpTo(folder, made === undefined ? folder : dirname(made))
    return created
  } finally {
    await rm(temporary, { force: true })
  }
}

/** Takes away what lies beside a new file since a day: whoever wrote it was killed. By the clock that dates both. */
async function sweep(file: string): Promise<void> {
  const { mtimeMs: present } = await stat(file)
  for (const name of await readdir(dirname(file))) {
    const path = join(dirname(file), name)
    const modified = (await stat(path).catch(() => undefined))?.mtimeMs ?? present
    if (modified < present - leftMs) await rm(path, { force: true })
  }
}

const leftMs = 24 * 60 * 60 * 1000

/** Undefined when there is nothing under the name. */
async function faulty<T>(folder: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof RemoteError) throw cause
    const code = codeOf(cause)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    const fault = code === 'EACCES' || code === 'EPERM' || code === 'EROFS' ? 'denied' : 'unreachable'
    throw new RemoteError(fault, `${folder}: ${(cause as Error).message}`, { cause })
  }
}

const codeOf = (cause: unknown): unknown => (cause as { code?: unknown } | null)?.code
