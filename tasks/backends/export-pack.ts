import { rename } from 'node:fs/promises'
import path from 'node:path'
import type { StepOf } from '../plan/step.ts'
import { fileOf, newFile, type Export } from './export-files.ts'
import { runTool } from './namespace-build.ts'
import { insideTools } from './namespace-mounts.ts'

/** Names without folders: what unpacks such archives looks for fixed names at the top. */
export async function packFiles(making: Export, step: StepOf<'pack'>): Promise<void> {
  const sources = step.files.map((name) => fileOf(making, name))
  for (const name of step.files) making.files.delete(name)
  const folder = path.join(making.folders.work, 'packing')
  const to = await newFile(making, step.to)
  const script = `
folder=$1 to=$2 epoch=$3 compress=$4; shift 4
tar --create --format=ustar --numeric-owner --owner=0 --group=0 --mode=0644 --mtime="@$epoch" \\
  --directory="$folder" --file=- -- "$@" | if [ "$compress" = gzip ]; then gzip -n -6; else cat; fi >"$to"
`
  await making.session.run(['mkdir', '-p', folder], { quiet: true })
  for (const source of sources) await rename(source, path.join(folder, path.basename(source)))
  const inside = (file: string): string => insideTools(making.folders, file)
  const names = sources.map((source) => path.basename(source))
  const argv = [
    'bash',
    '-euo',
    'pipefail',
    '-c',
    script,
    'bash',
    inside(folder),
    inside(to),
    String(making.epoch),
    step.compress,
  ]
  await runTool(making, [...argv, ...names], { what: `making ${step.to}` })
  await making.session.run(['rm', '-rf', folder], { quiet: true })
}
