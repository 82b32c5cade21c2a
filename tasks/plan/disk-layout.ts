// Pure data: how a disk is divided. All sizes in bytes, multiples of 1 MiB.

import { createHash } from 'node:crypto'
import { ImgError } from '../errors.ts'

export interface DiskLayout {
  /** Virtual size of the whole disk. */
  readonly size: number
  readonly table: 'gpt'
  /** In disk order. The sum of sizes plus 2 MiB fits in `size`; at most one partition has `grow`. */
  readonly partitions: readonly Partition[]
  readonly boot: {
    /** BIOS needs a `bios` partition, UEFI an `esp`; both may be on. */
    readonly bios: boolean
    readonly uefi: boolean
    /** The kernel command line after `root=`, without quiet: `console=tty0 console=ttyS0,115200`. */
    readonly cmdline: string
    /** Seconds GRUB waits. */
    readonly timeout: number
  }
}

export interface Partition {
  /** What it is for, unique in the layout: `bios`, `esp`, `root`, `swap`, `var`… Its UUIDs derive from this name. */
  readonly name: string
  readonly size: number
  /** Takes what is left of the disk. `finishDiskLayout` settles its size. */
  readonly grow: boolean
  /** Filesystem UUID as blkid prints it, instead of the derived one. */
  readonly uuid?: string
  readonly content:
    | { readonly kind: 'bios' }
    | { readonly kind: 'esp'; readonly mount: '/boot/efi' }
    | { readonly kind: 'swap' }
    | {
        readonly kind: 'ext4' | 'xfs'
        readonly mount: string
        /** fstab's fourth field. */
        readonly options: string
        readonly label?: string
        /** Percent of blocks reserved for root (ext4), mke2fs's default 5 when absent. */
        readonly reserved?: number
      }
}

/** A partition where it lies on the disk: `number` from 1, `start` in bytes. */
export interface PlacedPartition extends Partition {
  readonly number: number
  readonly start: number
}

export interface DiskIds {
  /** GUID of the partition table. */
  readonly disk: string
  /** Of a partition, by its name. `filesystem` is what fstab and blkid call UUID: `XXXX-XXXX` for an ESP. */
  readonly partitions: Readonly<
    Record<string, { readonly partition: string; readonly filesystem: string; readonly hashSeed: string }>
  >
}

const mebibyte: number = 1024 * 1024
/** Protective MBR and table in front, backup table behind. */
export const tableBytes: number = 2 * mebibyte

/** Checks a layout and settles the growing partition's size; a layout that cannot be built is OPTION_INVALID. */
export function finishDiskLayout(layout: DiskLayout): DiskLayout {
  checkSizes(layout)
  checkNames(layout.partitions)
  checkContents(layout)
  const taken = layout.partitions.reduce((sum, { size }) => sum + size, tableBytes)
  const left = layout.size - taken
  if (left < 0) {
    throw invalid(
      `the partitions need ${inMebibytes(taken)} MiB but the disk has ${inMebibytes(layout.size)} MiB`,
      `give the disk at least ${inMebibytes(taken)}M, or make the partitions smaller`,
    )
  }
  const partitions = layout.partitions.map((one) => (one.grow ? { ...one, size: one.size + left } : one))
  return { ...layout, partitions }
}

/** Where the partitions of a finished layout begin. */
export function placePartitions(layout: DiskLayout): readonly PlacedPartition[] {
  const starts = layout.partitions.map((_, index) =>
    layout.partitions.slice(0, index).reduce((sum, { size }) => sum + size, mebibyte),
  )
  return layout.partitions.map((one, index) => ({ ...one, number: index + 1, start: starts[index] ?? 0 }))
}

/** The same names give the same ids in every image: a constant, not a digest of content. */
export function deriveDiskIds(layout: DiskLayout): DiskIds {
  const partitions = layout.partitions.map((one) => {
    const derived = uuidV5(`filesystem:${one.name}`)
    return [
      one.name,
      {
        partition: uuidV5(`partition:${one.name}`),
        filesystem: one.uuid ?? (one.content.kind === 'esp' ? fatSerial(derived) : derived),
        hashSeed: uuidV5(`hash-seed:${one.name}`),
      },
    ] as const
  })
  return { disk: uuidV5('disk'), partitions: Object.fromEntries(partitions) }
}

/** RFC 9562 version 5: SHA-1 over namespace and name. */
export function uuidV5(name: string, namespace: string = idNamespace): string {
  const hash = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name)
    .digest()
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80
  const hex = hash.toString('hex', 0, 16)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** Never change it: the ids of every built image come from it. */
const idNamespace = '79b2eaf9-1a6b-4a7e-907e-238358e8bb60'

const fatSerial = (uuid: string): string => `${uuid.slice(0, 4)}-${uuid.slice(4, 8)}`.toUpperCase()

function checkSizes(layout: DiskLayout): void {
  const sizes = [['disk', layout.size], ...layout.partitions.map(({ name, size }) => [name, size])] as const
  for (const [name, size] of sizes) {
    if (!Number.isSafeInteger(size) || Number(size) <= 0 || Number(size) % mebibyte !== 0) {
      throw invalid(
        `the size of ${name} is ${size} bytes, which is not a whole number of MiB`,
        'round it to a multiple of 1048576',
      )
    }
  }
}

function checkNames(partitions: readonly Partition[]): void {
  const seen = new Set<string>()
  for (const { name } of partitions) {
    // GPT holds 36 UTF-16 units; the rest of the rule keeps names usable as file names.
    if (!/^[a-z0-9][a-z0-9-]{0,35}$/.test(name)) {
      throw invalid(
        `the partition name "${name}" is not 1 to 36 of a-z, 0-9 and -`,
        'name it for what it is: root, var-log',
      )
    }
    if (seen.has(name)) throw invalid(`two partitions are named "${name}"`, 'give each its own name')
    seen.add(name)
  }
  if (partitions.filter((one) => one.grow).length > 1) {
    throw invalid('more than one partition takes what is left of the disk', 'let only one of them grow')
  }
}

function checkContents({ partitions, boot }: DiskLayout): void {
  const mounts = new Set<string>()
  for (const { content } of partitions) {
    if (!('mount' in content)) continue
    if (!mountPattern.test(content.mount)) {
      throw invalid(`the mount point "${content.mount}" is no plain absolute path`, 'write it like /var/log')
    }
    if (mounts.has(content.mount)) {
      throw invalid(`two partitions are mounted on ${content.mount}`, 'give each its own mount point')
    }
    mounts.add(content.mount)
  }
  if (!mounts.has('/')) throw invalid('no partition is mounted on /', 'add a root partition')
  const holds = (kind: string): number => partitions.filter(({ content }) => content.kind === kind).length
  for (const kind of ['bios', 'esp'] as const) {
    if (holds(kind) > 1) throw invalid(`${holds(kind)} partitions hold "${kind}"`, 'one is enough')
  }
  if (boot.bios && holds('bios') === 0) {
    throw invalid('booting by BIOS needs a "bios" partition', 'add one of 1 MiB')
  }
  if (boot.uefi && holds('esp') === 0) {
    throw invalid('booting by UEFI needs an "esp" partition', 'add one of 64 MiB or more')
  }
}

/** `/`, or parts of plain characters that are not `.` or `..`. */
const mountPattern = /^\/$|^(?:\/(?!\.\.?(?:\/|$))[A-Za-z0-9._-]+)+$/

const inMebibytes = (bytes: number): number => Math.ceil(bytes / mebibyte)

const invalid = (message: string, hint: string): ImgError =>
  new ImgError('OPTION_INVALID', `disk layout: ${message}`, { hint })
