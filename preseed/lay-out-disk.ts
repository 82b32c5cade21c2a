// From a recipe and a disk size to partitions. The image boots by BIOS, and by UEFI when there is an ESP.

import { type DiskLayout, type Partition, tableBytes } from '../tasks/plan/disk-layout.ts'
import { expandScheme } from './expand-scheme.ts'
import type { SchemePartition } from './partition-scheme.ts'
import type { PartitioningSettings } from './read-partitioning.ts'
import type { Sheet } from './sheet.ts'

const mebibyte = 1024 * 1024
const megabyte = 1_000_000

/** Undefined when an error was reported. */
export function layOutDisk(
  sheet: Sheet,
  { scheme, smaller, defaultFilesystem, chosenBy }: PartitioningSettings,
  size: number,
): Pick<DiskLayout, 'size' | 'table' | 'partitions'> | undefined {
  // One MiB of slack pays for rounding up what is smaller than a MiB.
  const free = Math.floor((size - tableBytes - mebibyte) / megabyte)
  let wanted = prepare(scheme)
  if (needs(wanted) > free && smaller !== undefined && needs(prepare(smaller)) <= free) {
    sheet.warn(
      chosenBy,
      `the disk has ${free} MB, the recipe needs ${needs(wanted)} MB; small_disk is used, as by the installer`,
      'choose small_disk, or a larger disk',
    )
    wanted = prepare(smaller)
  }
  if (needs(wanted) > free) {
    sheet.error(
      chosenBy,
      `the partitions need ${needs(wanted)} MB but the disk has ${free} MB for them`,
      `give the recipe bootstrap a disk of ${Math.ceil((needs(wanted) * megabyte + tableBytes + mebibyte) / 1024 ** 3)}G, or make the partitions smaller`,
    )
    return undefined
  }
  const contents = wanted.map((one) => contentOf(one, defaultFilesystem))
  const wrong = contents.find((content) => typeof content === 'string')
  if (typeof wrong === 'string') {
    sheet.error(chosenBy, wrong, 'use ext4, xfs, swap, an EFI system partition (method{ efi }) and biosgrub')
    return undefined
  }
  const sizes = expandScheme(wanted, free)
  const growing = wanted.findLastIndex((one) => isUnlimited(one, free) && mountOf(one) !== undefined)
  const partitions = wanted.map((one, index): Partition => ({
    name: nameOf(one, wanted.slice(0, index)),
    size: Math.max(1, Math.floor(((sizes[index] ?? 0) * megabyte) / mebibyte)) * mebibyte,
    grow: index === growing,
    content: contents[index] as Partition['content'],
  }))
  return finish(sheet, { size, table: 'gpt', partitions }, chosenBy)
}

type Laid = Pick<DiskLayout, 'size' | 'table' | 'partitions'>

/** The growing partition goes last: only there can it follow a larger disk. */
function finish(sheet: Sheet, laid: Laid, chosenBy: PartitioningSettings['chosenBy']): Laid | undefined {
  const mounts = laid.partitions.flatMap(({ content }) => ('mount' in content ? [content.mount] : []))
  const twice = mounts.find((mount, index) => mounts.indexOf(mount) !== index)
  if (twice !== undefined) {
    sheet.error(chosenBy, `two partitions are mounted on ${twice}`, 'give each its own mount point')
    return undefined
  }
  if (!mounts.includes('/')) {
    sheet.error(chosenBy, 'no partition is mounted on /', 'add one with mountpoint{ / }')
    return undefined
  }
  const small = laid.partitions.find(({ content, size }) => content.kind === 'esp' && size < 34 * mebibyte)
  if (small !== undefined) {
    sheet.error(chosenBy, 'the EFI system partition is smaller than 36 MB', 'give it 64 MB or more')
    return undefined
  }
  const rest = laid.partitions.filter((one) => !one.grow)
  return { ...laid, partitions: [...rest, ...laid.partitions.filter((one) => one.grow).map(followDisk)] }
}

function followDisk(partition: Partition): Partition {
  const { content } = partition
  if (content.kind !== 'ext4' && content.kind !== 'xfs') return partition
  const options = content.options === 'defaults' ? '' : `${content.options},`
  return { ...partition, content: { ...content, options: `${options}x-systemd.growfs` } }
}

/** What partman leaves out on a GPT disk without LVM, and the place GRUB needs under BIOS, which an MBR disk has anyway. */
function prepare(scheme: readonly SchemePartition[]): readonly SchemePartition[] {
  const kept = scheme.filter(({ fields }) => {
    const labels = fields.get('$iflabel')
    return !fields.has('$defaultignore') && (labels === undefined || labels.split(' ').includes('gpt'))
  })
  if (kept.some(({ fields }) => fields.get('method') === 'biosgrub')) return kept
  const fields = new Map([['method', 'biosgrub']])
  return [{ min: 1, priority: 1, max: 1, filesystem: 'free', fields }, ...kept]
}

const needs = (scheme: readonly SchemePartition[]): number => scheme.reduce((sum, { min }) => sum + min, 0)

const isUnlimited = ({ max }: SchemePartition, free: number): boolean => max === -1 || max >= free

const mountOf = ({ fields }: SchemePartition): string | undefined =>
  fields.get('method') === 'format' ? fields.get('mountpoint') : undefined

function nameOf(one: SchemePartition, before: readonly SchemePartition[]): string {
  const name = useOf(one)
  const earlier = before.filter((other) => useOf(other) === name).length
  return earlier === 0 ? name : `${name}${earlier + 1}`
}

function useOf(one: SchemePartition): string {
  const method = one.fields.get('method')
  if (method === 'biosgrub') return 'bios'
  if (method === 'efi') return 'esp'
  const mount = mountOf(one)
  if (mount === undefined) return 'swap'
  if (mount === '/') return 'root'
  return mount
    .slice(1)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
}

/** Text is what is wrong with it. */
function contentOf(
  { filesystem, fields }: SchemePartition,
  defaultFilesystem: 'ext4' | 'xfs',
): Partition['content'] | string {
  const unknown = [...fields.keys()].find((field) => !knownFields.has(field) && !field.startsWith('options/'))
  if (unknown !== undefined) return `the recipe's field ${unknown}{ } is not supported`
  const method = fields.get('method') ?? ''
  if (method === 'biosgrub') return { kind: 'bios' }
  if (method === 'efi') return { kind: 'esp', mount: '/boot/efi' }
  if (method === 'swap') return { kind: 'swap' }
  if (method !== 'format') return `the recipe's method{ ${method} } is not supported`
  const named = fields.get('filesystem') ?? filesystem
  const kind =
    fields.has('$default_filesystem') || named === '$default_filesystem' ? defaultFilesystem : named
  if (kind !== 'ext4' && kind !== 'xfs') return `the filesystem ${kind} is not supported`
  const mount = fields.get('mountpoint')
  if (mount === undefined) return 'a partition of the recipe has no mountpoint{ }'
  if (!/^\/$|^(?:\/(?!\.\.?(?:\/|$))[A-Za-z0-9._-]+)+$/.test(mount)) {
    return `the mount point "${mount}" is no plain absolute path`
  }
  const label = fields.get('label')
  const reserved = /^(\d+)%?$/.exec(fields.get('reserved_for_root') ?? '')?.[1]
  return {
    kind,
    mount,
    options: mountOptions({ fields, kind, mount }),
    ...(label === undefined || label === '' ? {} : { label }),
    ...(reserved === undefined || kind !== 'ext4' ? {} : { reserved: Number(reserved) }),
  }
}

function mountOptions(of: { fields: SchemePartition['fields']; kind: string; mount: string }): string {
  const options = [...of.fields.keys()]
    .filter((field) => field.startsWith('options/'))
    .map((field) => field.slice('options/'.length))
  if (of.kind === 'ext4' && of.mount === '/') options.push('errors=remount-ro')
  return options.length === 0 ? 'defaults' : options.join(',')
}

const knownFields: ReadonlySet<string> = new Set(
  `method format use_filesystem filesystem mountpoint label reserved_for_root $default_filesystem $primary
  $bootable $legacy_boot $iflabel $reusemethod $lvmok $lvmignore $cryptoignore $defaultignore`.split(/\s+/),
)
