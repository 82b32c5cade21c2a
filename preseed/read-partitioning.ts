// What the answer file wants on the disk: one of the installer's recipes, or its own in their language.

import type { Answer } from './parse-preseed.ts'
import { parseScheme, type SchemePartition } from './partition-scheme.ts'
import { predefinedSchemes } from './predefined-schemes.ts'
import type { Sheet } from './sheet.ts'

export interface PartitioningSettings {
  readonly scheme: readonly SchemePartition[]
  /** What to fall back to when the disk is too small for `scheme`, as the installer does. */
  readonly smaller: readonly SchemePartition[] | undefined
  readonly defaultFilesystem: 'ext4' | 'xfs'
  /** The answer that chose the scheme; undefined when nothing did. */
  readonly chosenBy: Answer | undefined
}

/** An image has no RAM to measure, so a recipe's percentages are taken of this many megabytes, or of cap-ram. */
const assumedMemory = 1024

export function readPartitioning(sheet: Sheet): PartitioningSettings | undefined {
  refuseOtherMethods(sheet)
  refuseOtherLabels(sheet)
  const memory = Number(sheet.text('partman-auto/cap-ram') ?? assumedMemory) || assumedMemory
  const defaultFilesystem = readDefaultFilesystem(sheet)
  const expert = sheet.answer('partman-auto/expert_recipe')
  const choice = sheet.answer('partman-auto/choose_recipe')
  const chosenBy = expert?.value ? expert : choice?.value ? choice : undefined
  const name = (choice?.value || 'atomic').replace(/^.*\//, '').replace(/^\d\d/, '')
  const recipe = expert?.value || predefinedSchemes[name]
  if (recipe === undefined) {
    sheet.error(
      choice,
      `there is no recipe "${choice?.value ?? ''}"`,
      `choose one of ${Object.keys(predefinedSchemes).join(', ')}, or write partman-auto/expert_recipe`,
    )
    return undefined
  }
  const parsed = parseScheme(recipe, memory)
  if (!parsed.ok) {
    sheet.error(expert, parsed.message, parsed.hint)
    return undefined
  }
  const small = expert?.value ? undefined : parseScheme(predefinedSchemes['small_disk'] ?? '', memory)
  return {
    scheme: parsed.partitions,
    smaller: small?.ok === true ? small.partitions : undefined,
    defaultFilesystem,
    chosenBy,
  }
}

function refuseOtherMethods(sheet: Sheet): void {
  const method = sheet.answer('partman-auto/method')
  if (method !== undefined && !['', 'regular'].includes(method.value)) {
    sheet.error(
      method,
      `partitioning by "${method.value}" is not supported`,
      'write regular: LVM, encryption and RAID are set up on the machine an image is written to',
    )
  }
  const file = sheet.answer('partman-auto/expert_recipe_file')
  if (file !== undefined && file.value !== '') {
    sheet.error(file, 'a recipe in a file of the installer cannot be read', 'use partman-auto/expert_recipe')
  }
  const disks = sheet.answer('partman-auto/disk')
  if (disks !== undefined && disks.value.split(/\s+/).length > 1) {
    sheet.error(disks, `an image has one disk, not ${disks.value.split(/\s+/).length}`, 'name one disk')
  }
  const style = sheet.answer('partman/mount_style')
  if (style !== undefined && !['', 'uuid'].includes(style.value)) {
    sheet.error(style, `mounting by "${style.value}" is not supported`, 'write uuid')
  }
}

function refuseOtherLabels(sheet: Sheet): void {
  for (const name of ['choose_label', 'default_label']) {
    const answer = sheet.answer(`partman-partitioning/${name}`)
    if (answer === undefined || ['', 'gpt'].includes(answer.value)) continue
    sheet.error(answer, `a partition table of kind "${answer.value}" is not supported`, 'write gpt')
  }
}

function readDefaultFilesystem(sheet: Sheet): 'ext4' | 'xfs' {
  const answer = sheet.answer('partman/default_filesystem')
  const name = answer?.value || 'ext4'
  if (name === 'ext4' || name === 'xfs') return name
  sheet.error(answer, `the filesystem ${name} is not supported`, 'use ext4 or xfs')
  return 'ext4'
}
