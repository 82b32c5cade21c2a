// What a file's content was when it last had this stat. A file with the same size, times and inode is not read again;
// one changed within two seconds of being hashed is not remembered, since a second change could leave the same stat.

import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync, type BigIntStats } from 'node:fs'
import { lstat, open } from 'node:fs/promises'
import { join } from 'node:path'
import { ImgError } from '../errors.ts'

export interface StatCache {
  /** sha256 of a regular file's content, hex. */
  digest(path: string): Promise<string>
  /** Writes what was learnt, if anything was. */
  save(): void
  /** Files that were read, and files whose stat was enough. */
  readonly counts: { readonly hashed: number; readonly remembered: number }
}

export interface StatCacheOptions {
  readonly cacheDir: string
  /** The project: each has a file of its own, so that one does not carry another's entries. */
  readonly root: string
  readonly now: () => number
}

export function openStatCache(options: StatCacheOptions): StatCache {
  const file = join(
    options.cacheDir,
    'stat',
    createHash('sha256').update(options.root).digest('hex').slice(0, 16),
  )
  const known = readEntries(file)
  const counts = { hashed: 0, remembered: 0 }
  let learnt = false
  return {
    counts,
    digest: async (path) => {
      const stamp = stampOf(await lstat(path, { bigint: true }))
      const entry = known.get(path)
      if (entry?.stamp === stamp) {
        counts.remembered++
        return entry.digest
      }
      counts.hashed++
      const hashed = await hashStable(path)
      if (hashed.changedMs < options.now() - racyMs) {
        known.set(path, { stamp: hashed.stamp, digest: hashed.digest })
        learnt = true
      } else {
        learnt = known.delete(path) || learnt
      }
      return hashed.digest
    },
    save: () => {
      if (!learnt) return
      for (const path of known.keys()) if (!existsSync(path)) known.delete(path)
      mkdirSync(join(options.cacheDir, 'stat'), { recursive: true })
      const temporary = `${file}.${randomBytes(6).toString('hex')}`
      writeFileSync(temporary, renderEntries(known), { mode: 0o600 })
      renameSync(temporary, file)
      learnt = false
    },
  }
}

interface Entry {
  readonly stamp: string
  readonly digest: string
}

/** The coarsest clock among the filesystems in use. */
const racyMs = 2000

const stampOf = (s: BigIntStats): string => `${s.size} ${s.mtimeNs} ${s.ctimeNs} ${s.ino}`

/** Hashes a file that has the same stat before and after. */
async function hashStable(path: string): Promise<Entry & { readonly changedMs: number }> {
  for (let attempt = 0; attempt < 3; attempt++) {
    const handle = await open(path, 'r')
    try {
      const before = await handle.stat({ bigint: true })
      const hash = createHash('sha256')
      for await (const chunk of handle.createReadStream({ autoClose: false, highWaterMark: 1 << 20 })) {
        hash.update(chunk as Buffer)
      }
      const after = await handle.stat({ bigint: true })
      if (stampOf(before) === stampOf(after)) {
        const changed = after.mtimeNs > after.ctimeNs ? after.mtimeNs : after.ctimeNs
        return { stamp: stampOf(after), digest: hash.digest('hex'), changedMs: Number(changed / 1_000_000n) }
      }
    } finally {
      await handle.close()
    }
  }
  throw new ImgError('INPUT_INVALID', `${path} changes while it is read`, {
    path,
    hint: 'run the command again when nothing writes to the file',
  })
}

/** One line per file: digest, size, mtimeNs, ctimeNs, inode, and the path as JSON, which has no newline. */
function renderEntries(entries: ReadonlyMap<string, Entry>): string {
  let text = ''
  for (const [path, { stamp, digest }] of entries) text += `${digest} ${stamp} ${JSON.stringify(path)}\n`
  return text
}

/** A damaged line is a file to hash again, no more. */
function readEntries(file: string): Map<string, Entry> {
  const entries = new Map<string, Entry>()
  if (!existsSync(file)) return entries
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const parts = /^([0-9a-f]{64}) (\d+ -?\d+ -?\d+ \d+) ("(?:[^"\\]|\\.)*")$/.exec(line)
    if (parts === null) continue
    const [, digest = '', stamp = '', path = ''] = parts
    entries.set(JSON.parse(path) as string, { stamp, digest })
  }
  return entries
}
