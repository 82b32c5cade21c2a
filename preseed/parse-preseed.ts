// Reads the lines of an answer file exactly as debian-installer's debconf-set-selections does. Pure.

import type { Finding } from './finding.ts'

export interface Answer {
  /** `d-i` for the installer, else the package that asks. */
  readonly owner: string
  /** `passwd/username`. */
  readonly question: string
  readonly type: string
  readonly value: string
  readonly line: number
}

export interface ParsedPreseed {
  readonly answers: readonly Answer[]
  readonly findings: readonly Finding[]
}

export function parsePreseed(text: string): ParsedPreseed {
  const findings: Finding[] = checkCharacters(text)
  const answers: Answer[] = []
  for (const { line, content } of joinLines(text, findings)) {
    const answer = readAnswer(content, line)
    if ('severity' in answer) findings.push(answer)
    else {
      findings.push(...checkAnswer(content, answer))
      answers.push(answer)
    }
  }
  return { answers, findings: [...findings, ...findDuplicates(answers)] }
}

interface LogicalLine {
  readonly line: number
  readonly content: string
}

/** Comments go first, also in the middle of a continued line; the parts of one are joined by a single space. */
function joinLines(text: string, findings: Finding[]): readonly LogicalLine[] {
  const lines: LogicalLine[] = []
  let parts: string[] = []
  let start = 0
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.replaceAll('\r', '').replace(/^\uFEFF/, '')
    if (line.startsWith('#') || /^[ \t\v\f]*$/.test(line)) continue
    if (parts.length === 0) start = index + 1
    const content = line.replace(/^\s+/, '')
    if (content.endsWith('\\')) {
      parts.push(content.replace(/\s*\\$/, ''))
      continue
    }
    lines.push({ line: start, content: [...parts, content].join(' ') })
    parts = []
  }
  if (parts.length > 0) {
    findings.push({
      severity: 'error',
      line: start,
      message: 'the line is continued with a backslash but the file ends',
      hint: 'remove the last backslash or add what is missing',
    })
  }
  return lines
}

const lineForm = /^(\S+)\s+(\S+)\s+(\S+)(?:\s+(.*))?$/s

function readAnswer(content: string, line: number): Answer | Finding {
  const found = lineForm.exec(content)
  if (found === null) {
    return {
      severity: 'error',
      line,
      message: `"${shorten(content)}" is not an answer`,
      hint: 'write OWNER QUESTION TYPE VALUE, for example: d-i time/zone string Etc/UTC',
    }
  }
  const [, owner = '', question = '', type = '', value = ''] = found
  if (!types.has(type)) {
    return {
      severity: 'error',
      line,
      message: `"${type}" is not a type of question (${question})`,
      hint: `write one of ${[...types].join(', ')} between the question and its value`,
    }
  }
  return { owner, question, type, value: value.trimEnd(), line }
}

const types: ReadonlySet<string> = new Set([
  'string',
  'boolean',
  'select',
  'multiselect',
  'note',
  'text',
  'password',
  'error',
  'title',
  'seen',
])

function checkAnswer(content: string, answer: Answer): readonly Finding[] {
  const { owner, question, type, value, line } = answer
  const findings: Finding[] = []
  if (type === 'seen' && owner === 'd-i') {
    findings.push({
      severity: 'warning',
      line,
      message: `whether ${question} was seen has no effect, since nothing is asked`,
      hint: 'nothing to do',
    })
  }
  if (/\s$/.test(content) && value !== '') {
    findings.push({
      severity: 'warning',
      line,
      message: `the value of ${question} ends in white space, which the installer takes as part of it`,
      hint: 'remove the white space',
    })
  }
  if ((type === 'boolean' || type === 'seen') && value !== 'true' && value !== 'false') {
    findings.push({
      severity: 'error',
      line,
      message: `${question} is "${shorten(value)}", not true or false`,
      hint: 'write true or false',
    })
  }
  return findings
}

function checkCharacters(text: string): Finding[] {
  const findings: Finding[] = []
  if (text.startsWith('\uFEFF')) {
    findings.push({
      severity: 'error',
      line: 1,
      message: 'the file begins with a byte order mark, which the installer reads as part of its first line',
      hint: 'save it as UTF-8 without BOM',
    })
  }
  const carriage = text.split('\n').findIndex((line) => line.includes('\r'))
  if (carriage !== -1) {
    findings.push({
      severity: 'warning',
      line: carriage + 1,
      message: 'the line ends in CR LF; every CR is ignored',
      hint: 'save the file with LF line ends, for example with: sed -i "s/\\r//" FILE',
    })
  }
  const nul = text.split('\n').findIndex((line) => line.includes('\0'))
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

/** The installer keeps the last of them. */
function findDuplicates(answers: readonly Answer[]): readonly Finding[] {
  const before = new Map<string, Answer>()
  const findings: Finding[] = []
  for (const answer of answers) {
    const key = `${answer.owner} ${answer.question} ${answer.type === 'seen' ? 'seen' : 'value'}`
    const earlier = before.get(key)
    before.set(key, answer)
    if (earlier === undefined || earlier.value === answer.value) continue
    findings.push({
      severity: 'warning',
      line: answer.line,
      message: `${answer.question} was answered in line ${earlier.line} already; this answer replaces it`,
      hint: `remove line ${earlier.line} or this one`,
    })
  }
  return findings
}

const shorten = (text: string): string => (text.length > 60 ? `${text.slice(0, 59)}…` : text)
