// An image as a tree of files. Pure types: where the bytes come from is image-tree.ts's business.

export interface ImageTree {
  /** By path without leading slash; the root itself is not among them. */
  readonly entries: ReadonlyMap<string, ImageEntry>
  /** Bytes of the disk. */
  readonly size: number
  readonly parts: readonly ImagePart[]
  /** What a BIOS runs first, hexadecimal. */
  readonly bootCode: string
}

export interface ImagePart {
  readonly start: number
  readonly size: number
  /** `ext4`, `xfs`, `vfat`, `swap`, or empty when unknown. */
  readonly kind: string
  readonly uuid: string
  readonly label: string
  /** Of what holds no files that are read, and is compared byte by byte; absent where files are, and for swap. */
  readonly read?: (position: number, into: Buffer) => void
}

export interface ImageEntry {
  readonly path: string
  readonly kind: 'file' | 'folder' | 'link' | 'character' | 'block' | 'fifo' | 'socket'
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Whole seconds since 1970. */
  readonly mtime: number
  /** Of a file, else 0. */
  readonly size: number
  /** Extended attributes by full name; values byte by byte. */
  readonly attributes: Readonly<Record<string, string>>
  readonly target?: string
  readonly device?: string
  /** A file's bytes in parts, valid until the next is asked for. */
  content(): Iterator<Buffer>
}

/** The whole of a file; empty when there is none. Follows no links. */
export function readFile(tree: ImageTree, path: string): Buffer {
  const entry = tree.entries.get(path)
  if (entry?.kind !== 'file') return Buffer.alloc(0)
  const parts: Buffer[] = []
  const content = entry.content()
  for (let next = content.next(); next.done !== true; next = content.next())
    parts.push(Buffer.from(next.value))
  return Buffer.concat(parts)
}

export const readText = (tree: ImageTree, path: string): string => readFile(tree, path).toString()

/** The path, without its leading slash, with links among its folders followed; a link at its end is meant itself. */
export function followFolders(tree: ImageTree, path: string): string {
  const pending = partsOf(path)
  let done: string[] = []
  for (let links = 0; pending.length > 0;) {
    const part = pending.shift() ?? ''
    const { target } = tree.entries.get([...done, part].join('/')) ?? {}
    if (part === '..') done.pop()
    else if (target === undefined || pending.length === 0 || links === mostLinks) done.push(part)
    else {
      links += 1
      if (target.startsWith('/')) done = []
      pending.unshift(...partsOf(target))
    }
  }
  return done.join('/')
}

/** As the kernel has it: links that lead in a circle end somewhere. */
const mostLinks = 40

const partsOf = (path: string): string[] => path.split('/').filter((part) => part !== '' && part !== '.')
