// Which code does which step of export mode.

import type { ExportStep } from '../plan/export-step.ts'
import type { Step } from '../plan/step.ts'
import { convertDisk } from './export-convert.ts'
import { extractFile } from './export-extract.ts'
import type { Export } from './export-files.ts'
import { makeOciImage } from './export-oci.ts'
import { packFiles } from './export-pack.ts'
import { makeTemplate } from './export-template.ts'
import { makeInitramfs, makeUki } from './export-ramdisk.ts'
import { makeSquashfs } from './export-squashfs.ts'
import { emitText, writeChecksums } from './export-text.ts'

type Run<Name extends ExportStep['do']> = (
  making: Export,
  step: Extract<ExportStep, { do: Name }>,
) => Promise<void>

const table: { readonly [Name in ExportStep['do']]: Run<Name> } = {
  convert: convertDisk,
  extract: extractFile,
  emit: emitText,
  checksums: writeChecksums,
  pack: packFiles,
  template: makeTemplate,
  oci: makeOciImage,
  squashfs: makeSquashfs,
  initramfs: makeInitramfs,
  uki: makeUki,
}

export const exportSteps = (): ReadonlySet<Step['do']> => new Set(Object.keys(table) as ExportStep['do'][])

export async function runExportStep(making: Export, step: ExportStep): Promise<void> {
  const run = table[step.do] as Run<ExportStep['do']>
  await run(making, step)
}
