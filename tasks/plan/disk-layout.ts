// Pure data: how a disk is divided. All sizes in bytes, multiples of 1 MiB.

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
  /** Takes what is left of the disk. */
  readonly grow: boolean
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
