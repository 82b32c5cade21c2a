// late_command runs in the image; everything that needs a running installer is refused.

import type { Sheet } from './sheet.ts'

export interface CommandSettings {
  readonly lateCommand: { readonly command: string; readonly line: number } | undefined
}

export function readCommands(sheet: Sheet): CommandSettings {
  for (const question of ['preseed/early_command', 'partman/early_command']) {
    const answer = sheet.answer(question)
    if (answer === undefined || answer.value === '' || idle.has(answer.value)) continue
    sheet.error(
      answer,
      `${question} runs in the installer, and none is booted`,
      'remove it, or do the same to the image in preseed/late_command',
    )
  }
  refuseOtherFiles(sheet)
  const late = sheet.answer('preseed/late_command')
  if (late === undefined || late.value === '') return { lateCommand: undefined }
  for (const program of installerPrograms) {
    if (!new RegExp(`(?:^|[\\s;&|(\`])${program}(?:$|[\\s;&|)\`])`).test(late.value)) continue
    sheet.error(
      late,
      `preseed/late_command calls ${program}, which only the installer has`,
      'use commands of the image; in-target, apt-install, log-output and /target are understood',
    )
  }
  return { lateCommand: { command: late.value, line: late.line } }
}

/** Commands without effect. */
const idle: ReadonlySet<string> = new Set(['true', ':', '/bin/true', 'exit 0'])

const installerPrograms = [
  'anna-install',
  'db_get',
  'db_set',
  'debconf-get',
  'debconf-set',
  'fetch-url',
  'list-devices',
  'preseed_fetch',
  'preseed_command',
  'search-path',
  'udpkg',
  'user-params',
]

const otherFiles = ['include', 'include_command', 'run', 'url', 'file', 'boot_command'] as const

function refuseOtherFiles(sheet: Sheet): void {
  for (const name of otherFiles) {
    const answer = sheet.answer(`preseed/${name}`)
    sheet.answer(`preseed/${name}/checksum`)
    if (answer === undefined || answer.value === '') continue
    sheet.error(
      answer,
      `${answer.question} takes answers from elsewhere, which would not be part of the layer's key`,
      'put the answers into this file',
    )
  }
}
