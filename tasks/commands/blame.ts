import { ImgError } from '../errors.ts'
import { escapeControls } from '../reporters/escape.ts'
import { fitLines } from '../reporters/fit-lines.ts'
import type { Blame } from '../run/blame.ts'
import { renderCommit } from '../run/git-commit.ts'
import type { Command } from './command.ts'
import { withProject } from './with-project.ts'

export const blame: Command = {
  name: 'blame',
  summary: 'say which layer, step and commit brought a file or package',
  arguments: '<path-or-package> <layer>',
  options: [],
  example: 'img blame /etc/chrony/chrony.conf role:ceph-node',
  run: (call, context) =>
    withProject(call, context, async (project) => {
      const [subject = '', layer = ''] = call.args
      const { blame: ask } = await import('../run/blame.ts')
      const changes = await ask(project, layer, subject)
      if (changes.length === 0) {
        throw new ImgError('INPUT_MISSING', `${layer} has no ${subject}`, {
          hint: 'give an absolute path in the image, or the name of an installed package',
          found: subject,
        })
      }
      call.print(call.json ? { changes } : fitLines(renderBlame(changes), call.columns))
      return 0
    }),
}

/** Pure. Newest first. */
export function renderBlame(changes: readonly Blame[]): string {
  return changes.map((change) => `${blameLines(change).map(escapeControls).join('\n')}\n`).join('')
}

function blameLines(blamed: Blame): string[] {
  const { subject, layer, key, change, what } = blamed
  const detail = what.length === 0 ? '' : ` (${what.join(', ')})`
  const lines = [`${subject} ${change}${detail} by ${layer} ${key.slice(0, 12)}`]
  if (blamed.package !== undefined) lines.push(`  package ${blamed.package}`)
  if (blamed.step !== undefined)
    lines.push(`  step ${blamed.step}${blamed.resource === undefined ? '' : `, ${blamed.resource}`}`)
  if (blamed.declaredAt !== undefined) lines.push(`  declared at ${blamed.declaredAt}`)
  if (blamed.commit !== undefined) lines.push(`  ${renderCommit(blamed.commit)}`)
  return lines
}
