// Pure. Headers of a cpio archive in the form kernels unpack as an initramfs ("newc"): names, folders and files, no dates.

export interface CpioFile {
  readonly path: string
  readonly size: number
}

/** What precedes the file's bytes; the folders it lies in must have been written. Sizes are less than 4 GiB. */
export const fileHeader = ({ path, size }: CpioFile, inode: number): Buffer =>
  header({ path, size, inode, mode: 0o100_444, links: 1 })

export const folderHeader = (path: string, inode: number): Buffer =>
  header({ path, size: 0, inode, mode: 0o040_755, links: 2 })

export const trailer = (): Buffer => header({ path: 'TRAILER!!!', size: 0, inode: 0, mode: 0, links: 1 })

/** How many zeros follow so many bytes of an archive's content. */
export const padding = (size: number): number => (4 - (size % 4)) % 4

export const largestFile: number = 2 ** 32 - 1

interface Header extends CpioFile {
  readonly inode: number
  readonly mode: number
  readonly links: number
}

function header({ path, size, inode, mode, links }: Header): Buffer {
  const name = Buffer.from(`${path}\0`)
  // Owner and group, date, size, four numbers of devices, length of the name, no checksum.
  const fields = [inode, mode, 0, 0, links, 0, size, 0, 0, 0, 0, name.length, 0]
  const text = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`
  const bytes = Buffer.concat([Buffer.from(text), name])
  return Buffer.concat([bytes, Buffer.alloc(padding(bytes.length))])
}
