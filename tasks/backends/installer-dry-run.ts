// What an installer would be started with, as a shell script: the same command line and files as in a build, but for the
// nonce and the folder.

import type { RunContext } from '../context.ts'
import type { InstallStep } from '../plan/step.ts'
import { resolveAcceleration } from './acceleration.ts'
import { installerMirror } from './installer-mirror.ts'
import { makeInstallerFiles } from './installer-files.ts'
import { installFiles, makeVirtInstall } from './virt-install-command.ts'

export interface InstallerCommand {
  readonly argv: readonly string[]
  /** Files that are injected or lie on the disk with the answers, by name. */
  readonly files: Readonly<Record<string, string>>
}

/** `medium` has the files of the medium by what they are. */
export async function planInstaller(
  step: InstallStep,
  medium: readonly string[],
  context: RunContext,
): Promise<InstallerCommand> {
  const { accelerator } = await resolveAcceleration(context)
  const mirror = await installerMirror(step, context)
  const files = makeInstallerFiles(step, { nonce: 'NONCE', ...(mirror === undefined ? {} : { mirror }) })
  const argv = makeVirtInstall({
    step,
    files,
    accelerator,
    name: 'img-NONCE',
    connect: step.machine?.connect ?? (context.uid === 0 ? 'qemu:///system' : 'qemu:///session'),
    medium: medium.includes('iso') ? 'iso' : 'kernel',
    directory: '$PWD',
  })
  return { argv, files: { ...files.inject, ...files.seed } }
}

/** Pure. One option a line. */
export function renderInstaller(
  { argv, files }: InstallerCommand,
  about: { readonly layer: string; readonly size: number; readonly medium: readonly string[] },
): string {
  const [program = '', ...options] = argv
  const lines: string[] = []
  for (const word of options) {
    if (word.startsWith('--') || lines.length === 0) lines.push(quoted(word))
    else lines.push(`${lines.pop()} ${quoted(word)}`)
  }
  const seeded = options.some((word) => word.includes(installFiles.seed))
  return [
    `# ${about.layer}: run in an empty folder, with the medium in it as`,
    ...about.medium.map((file) => `#   ${file}`),
    ...Object.entries(files).flatMap(([name, content]) => [
      `cat >${name} <<'end of ${name}'`,
      content.trimEnd(),
      `end of ${name}`,
    ]),
    ...(seeded
      ? [`xorriso -as mkisofs -V cidata -J -r -o ${installFiles.seed} ${Object.keys(files).join(' ')}`]
      : []),
    `truncate --size ${about.size} ${installFiles.disk}`,
    [program, ...lines.map((line) => `  ${line}`)].join(' \\\n'),
    '',
  ].join('\n')
}

/** `$PWD` is meant as the shell's. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./$-]+$/.test(word)
    ? word.replaceAll(/(?<=[=,]|^)(\$PWD\/[^,\s]*)/g, '"$1"')
    : `'${word.replaceAll("'", String.raw`'\''`)}'`
