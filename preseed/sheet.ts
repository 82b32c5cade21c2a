// The answers to the installer's own questions, with account kept of which were understood.

import type { Finding } from './finding.ts'
import type { Answer } from './parse-preseed.ts'

export interface Sheet {
  /** The installer's last answer to a question; asking marks the question as one we honour. */
  answer(question: string): Answer | undefined
  /** Its value, undefined when there is none or it is empty. */
  text(question: string): string | undefined
  flag(question: string, otherwise: boolean): boolean
  error(at: Answer | undefined, message: string, hint: string): void
  warn(at: Answer | undefined, message: string, hint: string): void
  /** Installer answers nobody asked for, and the names of those somebody did. */
  readonly unread: () => readonly Answer[]
  readonly honoured: () => readonly string[]
  readonly findings: () => readonly Finding[]
}

export function makeSheet(answers: readonly Answer[]): Sheet {
  const own = answers.filter(isInstallers)
  const byQuestion = new Map(own.map((answer) => [answer.question, answer]))
  const read = new Set<string>()
  const findings: Finding[] = []
  const answer = (question: string): Answer | undefined => {
    read.add(question)
    return byQuestion.get(question)
  }
  return {
    answer,
    text: (question) => answer(question)?.value || undefined,
    flag: (question, otherwise) => {
      const value = answer(question)?.value
      return value === undefined || value === '' ? otherwise : value === 'true'
    },
    error: (at, message, hint) => {
      findings.push({ severity: 'error', line: at?.line ?? 0, message, hint })
    },
    warn: (at, message, hint) => {
      findings.push({ severity: 'warning', line: at?.line ?? 0, message, hint })
    },
    unread: () => own.filter((one) => !read.has(one.question)),
    honoured: () => [...read],
    findings: () => findings,
  }
}

/** tasksel runs inside the installer, whoever the file says asks. */
export const isInstallers = (answer: Answer): boolean =>
  answer.type !== 'seen' && (answer.owner === 'd-i' || answer.question === 'tasksel/first')
