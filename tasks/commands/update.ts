import { refreshLock, type LockDifference, type PackageChange } from '../run/apt-refresh.ts'
import { openLock } from '../run/lockfile.ts'
import type { Command } from './command.ts'

export const update: Command = {
  name: 'update',
  summary: "pin the mirrors' present state in imgfile.lock and show what changed",
  arguments: '',
  options: [{ flags: '--dry-run', description: 'only show what would change; imgfile.lock stays as it is' }],
  example: 'img update --dry-run',
  async run(call, context) {
    const dryRun = call.options['dryRun'] === true
    const lock = await openLock(context, { frozen: false })
    const difference = await refreshLock(lock, { dryRun }, context)
    call.print(call.json ? { dryRun, ...difference } : renderDifference(difference, dryRun))
    return 0
  },
}

/** Pure. Every suite with its dates, then at most fifty packages of it. */
export function renderDifference({ suites, packages }: LockDifference, dryRun: boolean): string {
  if (suites.length === 0) {
    return 'imgfile.lock pins nothing yet: the first `img build` or `img plan` pins what the imgfile uses\n'
  }
  const lines: string[] = []
  for (const { archive, suite, status, from, to, compared } of suites) {
    if (status !== 'newer') {
      lines.push(`${suite} (${archive}): ${from}, ${status === 'same' ? 'unchanged' : 'kept'}`)
      continue
    }
    lines.push(`${suite} (${archive}): ${from} → ${to}`)
    const changes = packages.filter((change) => change.suite === suite)
    lines.push(...changes.slice(0, shown).map((change) => `  ${renderChange(change)}`))
    if (changes.length > shown) lines.push(`  and ${changes.length - shown} more; --json has all`)
    if (changes.length === 0 && compared) lines.push('  no package differs')
    if (!compared) lines.push('  packages not compared: the old lists are no longer in the cache')
  }
  const changed = suites.some(({ status }) => status === 'newer')
  if (changed) lines.push(dryRun ? 'imgfile.lock was not written (--dry-run)' : 'imgfile.lock was written')
  return `${lines.join('\n')}\n`
}

const shown = 50

function renderChange({ name, from, to }: PackageChange): string {
  if (from === undefined) return `${name} ${to}, new`
  return to === undefined ? `${name} ${from}, removed` : `${name} ${from} → ${to}`
}
