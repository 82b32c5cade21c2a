// Tells that something may have changed in folders. An event is a hint and nothing more: whoever is woken hashes.

import { dirname, resolve } from 'node:path'
import { watch, type FSWatcher } from 'chokidar'
import type { Emit } from '../events.ts'
import { folderIdentity } from './folder-identity.ts'

export interface FolderWatch {
  /**
   * When it resolves, changes in exactly these folders are told; for one that does not exist the nearest above it counts.
   * True when the set is another than before: what changed until now was not told.
   */
  follow(folders: Iterable<string>): Promise<boolean>
  readonly polling: () => boolean
  readonly count: () => number
  close(): Promise<void>
}

export interface FolderWatchOptions {
  /** Look at times instead of being told by the kernel: for network filesystems. */
  readonly poll: boolean
  /** Absolute path of what changed. */
  readonly onChange: (path: string) => void
  readonly emit: Emit
}

export function watchFolders(options: FolderWatchOptions): FolderWatch {
  let polling = options.poll
  let watcher: FSWatcher | undefined
  let followed = ''
  let count = 0
  const open = async (folders: readonly string[]): Promise<void> => {
    await watcher?.close()
    watcher = undefined
    if (folders.length === 0) return
    const opened = await openWatcher(folders, { ...options, polling })
    if (opened.limit === undefined) {
      watcher = opened.watcher
      return
    }
    await opened.watcher.close()
    polling = true
    options.emit({ event: 'warning', ...limitReached(opened.limit, folders.length) })
    await open(folders)
  }
  return {
    polling: () => polling,
    count: () => count,
    follow: async (wanted) => {
      const found = new Map([...wanted].map(nearestFolder))
      const folders = [...found.keys()].toSorted()
      const identity = folders.map((folder) => `${folder} ${found.get(folder)}`).join('\n')
      if (identity === followed) return false
      followed = identity
      count = folders.length
      await open(folders)
      return true
    },
    close: async () => watcher?.close(),
  }
}

/** Twice a second is what a person does not wait for. */
const pollMs = 500

async function openWatcher(
  folders: readonly string[],
  { polling, onChange, emit }: FolderWatchOptions & { readonly polling: boolean },
): Promise<{ readonly watcher: FSWatcher; readonly limit: string | undefined }> {
  const known = new Set(folders)
  const watcher = watch([...folders], {
    depth: 0,
    ignoreInitial: true,
    followSymlinks: false,
    atomic: false,
    usePolling: polling,
    interval: pollMs,
    binaryInterval: pollMs,
    // The kernel tells of files through their folder; only polling has to look at each.
    ignored: (path, stats) => !polling && stats !== undefined && !known.has(path),
  })
  // Chokidar's own events are thinned out; the raw ones are all there are.
  watcher.on('raw', (_event, name, details) => {
    const { watchedPath } = (details ?? {}) as { readonly watchedPath?: string }
    onChange(resolve(watchedPath ?? '', name ?? ''))
  })
  let limit: string | undefined
  await new Promise<void>((ready) => {
    watcher.on('ready', ready)
    watcher.on('error', (error) => {
      const { code, message } = error as NodeJS.ErrnoException
      if (code === 'ENOSPC' || code === 'EMFILE') {
        limit = code
        ready()
      } else emit({ event: 'warning', text: `cannot watch a folder: ${message}` })
    })
  })
  return { watcher, limit }
}

function limitReached(code: string, folders: number): { readonly text: string; readonly hint: string } {
  const name = code === 'ENOSPC' ? 'max_user_watches' : 'max_user_instances'
  return {
    text: `this machine watches no more folders (fs.inotify.${name}): looking at ${folders} folders twice a second instead`,
    hint: `raise it: sysctl fs.inotify.${name}=524288`,
  }
}

function nearestFolder(path: string): readonly [folder: string, identity: string] {
  for (let at = path; ; at = dirname(at)) {
    const identity = folderIdentity(at)
    if (identity !== undefined || at === dirname(at)) return [at, identity ?? '']
  }
}
