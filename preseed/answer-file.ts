// An installer's answer file, whichever installer it is for: read, checked, and without what changes nothing. Pure.

import { findAutoinstall } from './read-autoinstall.ts'
import type { Finding } from './finding.ts'
import { findKickstart } from './read-kickstart.ts'
import { findPreseed } from './lint-preseed.ts'

/** `preseed`: Debian, Ubuntu to 20.04. `kickstart`: Fedora, RHEL. `autoinstall`: Ubuntu from 20.04 on. */
export type AnswerKind = 'preseed' | 'kickstart' | 'autoinstall'

export interface AnswerFile {
  readonly kind: AnswerKind
  /** What the installer is given: comments, blank lines and order of keys decide nothing and are gone. */
  readonly text: string
}

export interface ReadAnswers {
  readonly answers: AnswerFile
  /** By line. */
  readonly findings: readonly Finding[]
}

/** The kind is told by the content; a file that is none of them has one error and counts as a preseed. */
export function readAnswers(content: string): ReadAnswers {
  const kind = answerKind(content)
  if (kind === undefined) return { answers: { kind: 'preseed', text: '' }, findings: [unknownKind] }
  const { text, findings } = readers[kind](content)
  const all = [...findCharacters(content, kind), ...findings]
  return { answers: { kind, text }, findings: all.toSorted((a, b) => a.line - b.line) }
}

const readers = { preseed: findPreseed, kickstart: findKickstart, autoinstall: findAutoinstall }

const unknownKind: Finding = {
  severity: 'error',
  line: 0,
  message: 'the file is no preseed, kickstart or autoinstall file',
  hint: 'write a preseed line such as `d-i time/zone string Etc/UTC`, a kickstart with %packages, or autoinstall:',
}

/** The most telling line decides: a preseed may have a late_command that writes a kickstart, and not the other way. */
function answerKind(content: string): AnswerKind | undefined {
  const text = content.replace(/^\uFEFF/, '').replaceAll('\r', '')
  if (/^#cloud-config\s*$/m.test(text) || /^autoinstall:/m.test(text)) return 'autoinstall'
  if (/^\s*\S+\s+\S+\/\S+\s+(?:string|boolean|select|multiselect|note|password|seen)\b/m.test(text)) {
    return 'preseed'
  }
  const isKickstart =
    /^%(?:packages|post|pre|addon|onerror)\b/m.test(text) ||
    /^(?:autopart|bootloader|clearpart|rootpw|lang|keyboard|timezone)\b/m.test(text)
  return isKickstart ? 'kickstart' : undefined
}

/** The preseed reader has words of its own for these, since that installer ignores CR. */
function findCharacters(content: string, kind: AnswerKind): readonly Finding[] {
  if (kind === 'preseed') return []
  const findings: Finding[] = []
  if (content.startsWith('\uFEFF')) {
    findings.push({
      severity: 'error',
      line: 1,
      message: 'the file begins with a byte order mark, which the installer reads as part of its first line',
      hint: 'save it as UTF-8 without BOM',
    })
  }
  const lines = content.split('\n')
  const carriage = lines.findIndex((line) => line.endsWith('\r'))
  if (carriage !== -1) {
    findings.push({
      severity: 'error',
      line: carriage + 1,
      message: 'the line ends in CR LF, and the installer takes the CR as part of the value',
      hint: 'save the file with LF line ends, for example with: sed -i "s/\\r//" FILE',
    })
  }
  const nul = lines.findIndex((line) => line.includes('\0'))
  if (nul !== -1) {
    findings.push({
      severity: 'error',
      line: nul + 1,
      message: 'the line has a NUL character',
      hint: 'save the file as UTF-8 text',
    })
  }
  return findings
}
