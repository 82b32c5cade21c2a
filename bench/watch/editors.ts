// Files saved as editors save them, with everything that lay on the disk noted.

import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

/** Text by path below the root; undefined: no such file. */
export type Files = Readonly<Record<string, string | undefined>>

export interface Editor {
  /** Brings the files to this content, each in some way; those that have it are not touched. */
  save(files: Files, choose: (below: number) => number): Promise<void>
  /** What lay there and since when, milliseconds since 1970, oldest first; halves of a file are among them. */
  readonly history: readonly { readonly since: number; readonly files: Files }[]
}

/** `before` is what lies there already, of everything that will be saved. */
export function openEditor(root: string, before: Files): Editor {
  const history: { since: number; files: Files }[] = [{ since: 0, files: before }]
  const put: Put = (path, text) => {
    const file = join(root, path)
    if (text === undefined) rmSync(file, { force: true })
    else {
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
    }
    note(path, text)
  }
  const note = (path: string, text: string | undefined): void => {
    if (isEditors(path)) return
    history.push({ since: Date.now(), files: { ...history.at(-1)?.files, [path]: text } })
  }
  const move = (from: string, to: string): void => {
    const text = readFileSync(join(root, from), 'utf8')
    renameSync(join(root, from), join(root, to))
    if (!isEditors(from)) note(from, undefined)
    note(to, text)
  }
  return {
    history,
    save: async (files, choose) => {
      for (const [path, text] of Object.entries(files)) {
        if (text === history.at(-1)?.files[path]) continue
        if (text === undefined) put(path, undefined)
        else await ways[choose(ways.length)]?.({ root, put, move }, path, text)
      }
    },
  }
}

/** Of those below, which an editor keeps to itself for a moment. */
const isEditors = (path: string): boolean => /(?:~|\.swp|\.tmp|\/4913)$/.test(path)

type Put = (path: string, text: string | undefined) => void

interface Disk {
  readonly root: string
  readonly put: Put
  readonly move: (from: string, to: string) => void
}

type Way = (disk: Disk, path: string, text: string) => Promise<void> | void

const ways: readonly Way[] = [
  // nano: in place.
  ({ put }, path, text) => put(path, text),
  // A slow one: in place and in two pieces.
  async ({ put }, path, text) => {
    put(path, text.slice(0, text.length / 2))
    await wait(20)
    put(path, text)
  },
  // vim: a swap file, a probe, the old file as backup, a new file.
  ({ root, put, move }, path, text) => {
    const folder = dirname(path)
    put(`${folder}/.edited.swp`, 'swap')
    put(`${folder}/4913`, '')
    put(`${folder}/4913`, undefined)
    const isThere = statSync(join(root, path), { throwIfNoEntry: false }) !== undefined
    if (isThere) move(path, `${path}~`)
    put(path, text)
    put(`${path}~`, undefined)
    put(`${folder}/.edited.swp`, undefined)
  },
  // sed -i, and editors that are careful: another file, renamed.
  ({ put, move }, path, text) => {
    put(`${path}.tmp`, text)
    move(`${path}.tmp`, path)
  },
  // Deleted and made again.
  async ({ put }, path, text) => {
    put(path, undefined)
    await wait(20)
    put(path, text)
  },
  // Saved, and saved once more without a change.
  ({ root, put }, path, text) => {
    put(path, text)
    const now = new Date()
    utimesSync(join(root, path), now, now)
  },
]
