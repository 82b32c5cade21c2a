// Pure. Where the files of a target go in a folder, in which order, and what that folder says of itself.
//
// Of a machine that boots from it, kernel, initramfs and command line belong together: they are in a folder named by
// their content, which `boot.ipxe` leads to, so that who is booting meanwhile finds what its script named.

import { createHash } from 'node:crypto'

export interface FilesPlan {
  /** Of the content. */
  readonly id: string
  readonly files: readonly PlannedFile[]
  /** Then these, one after the other. */
  readonly texts: readonly { readonly to: string; readonly text: string }[]
  /** Last: what leads others to the rest. */
  readonly starters: readonly (PlannedFile | { readonly to: string; readonly text: string })[]
  /** Of `files`, those that never change under their names. */
  readonly lasting: readonly string[]
}

export interface PlannedFile {
  /** In the target. */
  readonly name: string
  /** Below the folder. */
  readonly to: string
  readonly sha256: string
}

/** `sums` is the target's SHA256SUMS. */
export function planFiles(sums: string): FilesPlan {
  const id = createHash('sha256').update(sums).digest('hex').slice(0, 16)
  const all = sums
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ({ name: line.slice(66), to: line.slice(66), sha256: line.slice(0, 64) }))
  if (!all.some(({ name }) => name === script)) {
    return { id, files: all, texts: [{ to: sumsName, text: sums }], starters: [], lasting: [] }
  }
  const images = all.filter(({ name }) => /^root[^/]*\.squashfs$/.test(name))
  const others = all.filter((file) => !images.includes(file))
  const together = others.map((file) => ({ ...file, to: `${id}/${file.name}` }))
  const starters = others.filter(({ name }) => name === 'grub.cfg' || name === 'pxelinux.cfg')
  const plain = others.filter(({ name }) => name !== script)
  const lead = { to: script, text: `#!ipxe\nchain ${id}/${script}\n` }
  const lines = [
    ...[...images, ...together, ...plain].map(({ to, sha256 }) => ({ to, sha256 })),
    { to: lead.to, sha256: createHash('sha256').update(lead.text).digest('hex') },
  ]
  const ordered = lines.toSorted((one, other) => (one.to < other.to ? -1 : 1))
  return {
    id,
    files: [...images, ...together, ...plain.filter((file) => !starters.includes(file))],
    texts: [{ to: sumsName, text: ordered.map(({ to, sha256 }) => `${sha256}  ${to}\n`).join('') }],
    starters: [...starters, lead],
    lasting: [...images.filter(({ name }) => name.includes('-')), ...together].map(({ to }) => to),
  }
}

const script = 'boot.ipxe'
export const sumsName = 'SHA256SUMS'
