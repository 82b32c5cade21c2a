// A difference for people: facts first, then files, the expected ones only counted. Pure.

import { escapeControls } from '../reporters/escape.ts'
import { formatBytes } from '../reporters/format.ts'
import type { DescribedFile, FactDifference, ImageDifference } from './diff-images.ts'
import type { FileFacts } from './compare-trees.ts'

export interface DiffRendering {
  /** Also files of packages whose version differs, and every line. */
  readonly all: boolean
  readonly before: string
  readonly after: string
}

export function renderDiff(difference: ImageDifference, rendering: DiffRendering): string {
  const { facts, files, disk, bytes, ignored } = difference
  const lines = [`${rendering.before} -> ${rendering.after}`]
  for (const [kind, differences] of Object.entries(facts)) {
    lines.push(titles[kind] ?? kind, ...differences.map((fact) => `  ${factLine(fact)}`))
  }
  if (disk.length > 0) lines.push('disk', ...disk.map((line) => `  ${line}`))
  lines.push(...fileLines(files, rendering))
  const [before, after] = bytes
  if (before !== after) lines.push(`size of all files: ${formatBytes(before)} -> ${formatBytes(after)}`)
  if (lines.length === 1) lines.push('no difference')
  if (ignored.length > 0) lines.push(ignoredLine(ignored.length))
  return `${lines.map(escapeControls).join('\n')}\n`
}

const titles: Readonly<Record<string, string>> = {
  setuid: 'setuid and setgid files',
  services: 'systemd units',
  kernel: 'kernel command line',
}

const ignoredLine = (count: number): string =>
  `${count} ${count === 1 ? 'difference' : 'differences'} left out as noise; --noise shows them`

function factLine({ name, before, after }: FactDifference): string {
  if (before === undefined) return `+ ${name} ${after}`
  return after === undefined ? `- ${name} ${before}` : `  ${name} ${before} -> ${after}`
}

function fileLines(files: readonly DescribedFile[], { all }: DiffRendering): string[] {
  const own = all ? files : files.filter((file) => file.package === undefined)
  const lines = own.length === 0 ? [] : ['files']
  for (const file of own) {
    lines.push(`  ${fileLine(file)}${file.digest === undefined ? '' : `, text #${file.digest}`}`)
    const shown = all ? file.lines : file.lines?.slice(0, shownLines)
    lines.push(...(shown ?? []).map((line) => `      ${line}`))
    const more = (file.lines?.length ?? 0) - (shown?.length ?? 0)
    if (more > 0) lines.push(`      … ${more} more ${more === 1 ? 'line' : 'lines'}; --all shows all`)
  }
  const hidden = files.length - own.length
  if (hidden > 0)
    lines.push(`${hidden} ${hidden === 1 ? 'file' : 'files'} of packages named above; --all lists all`)
  return lines
}

const shownLines = 20

function fileLine({ path, change, what, before, after }: DescribedFile): string {
  if (change === 'added') return `+ /${path} ${factsText(after)}`
  if (change === 'removed') return `- /${path} ${factsText(before)}`
  const parts = what.map((one) => {
    switch (one) {
      case 'kind':
        return `${before?.kind} -> ${after?.kind}`
      case 'mode':
        return `mode ${before?.mode} -> ${after?.mode}`
      case 'owner':
        return `owner ${before?.uid}:${before?.gid} -> ${after?.uid}:${after?.gid}`
      case 'target':
        return `target ${before?.target} -> ${after?.target}`
      case 'content':
        return before?.size === after?.size
          ? `content, ${formatBytes(after?.size ?? 0)}`
          : `content, ${formatBytes(before?.size ?? 0)} -> ${formatBytes(after?.size ?? 0)}`
      default:
        return one
    }
  })
  return `  /${path} ${parts.join('; ')}`
}

function factsText(facts: FileFacts | undefined): string {
  if (facts === undefined) return ''
  const { kind, mode, uid, gid, size, target } = facts
  const owner = uid === 0 && gid === 0 ? '' : ` ${uid}:${gid}`
  if (kind === 'link') return `-> ${target}`
  return kind === 'file' ? `${mode}${owner} ${formatBytes(size)}` : `${kind} ${mode}${owner}`
}
