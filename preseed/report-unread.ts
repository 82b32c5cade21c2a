// Says what happens to installer answers that no reader took: nothing, a warning or an error.

import { suggest } from '../tasks/plan/suggest.ts'
import { confirmations, installerOnly, unsupported } from './installer-questions.ts'
import type { Sheet } from './sheet.ts'

export function reportUnread(sheet: Sheet): void {
  for (const answer of sheet.unread()) {
    const { question, value } = answer
    if (confirmations.has(question)) continue
    if (installerOnly.has(question)) {
      sheet.warn(answer, `${question} has no effect, since no installer is booted`, 'nothing to do')
    } else if (unsupported.has(question)) {
      if (value === '' || value === 'false') continue
      sheet.error(answer, `${question} is not supported`, 'remove the line, or do the same in a later recipe')
    } else {
      const known = [...sheet.honoured(), ...confirmations, ...installerOnly, ...unsupported]
      const meant = suggest(question, known)
      sheet.error(
        answer,
        `the installer has no question "${question}"`,
        meant === undefined
          ? 'remove the line or name the package that asks instead of d-i'
          : `did you mean ${meant}?`,
      )
    }
  }
}
