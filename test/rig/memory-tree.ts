// An image's tree made in the test, without an image.

import type { ImageEntry, ImageTree } from '../../tasks/diff/tree.ts'

/** A text is a file; anything else says what differs from a plain one. */
export function memoryTree(
  files: Readonly<Record<string, string | (Partial<ImageEntry> & { readonly text?: string })>>,
  size = 1024,
): ImageTree {
  const entries = Object.entries(files).map(([path, given]) => {
    const { text = '', ...rest } = typeof given === 'string' ? { text: given } : given
    const bytes = Buffer.from(text)
    const entry: ImageEntry = {
      path,
      kind: 'file',
      mode: 0o644,
      uid: 0,
      gid: 0,
      mtime: 0,
      size: bytes.length,
      attributes: {},
      content: () => [bytes.subarray(0, 3), bytes.subarray(3)][Symbol.iterator](),
      ...rest,
    }
    return [path, entry] as const
  })
  return { entries: new Map(entries), size, parts: [], bootCode: '' }
}
