import { refreshLock, type LockDifference, type PackageChange } from '../run/apt-refresh.ts'
import { openLock } from '../run/lockfile.ts'
import { escapeControls } from '../reporters/escape.ts'
import type { Call, Command } from './command.ts'

export const update: Command = {
  name: 'update',
  summary: 'show what is new at the mirrors and, when accepted, pin it in imgfile.lock',
  arguments: '',
  options: [
    { flags: '--dry-run', description: 'only show what would change; imgfile.lock stays as it is' },
    { flags: '--installers', description: 'let the next plan or build pin the present installers' },
  ],
  example: 'img update --yes',
  async run(call, context) {
    const dryRun = call.options['dryRun'] === true
    const lock = await openLock(context, { frozen: false })
    if (call.options['installers'] === true) {
      const installers = dryRun ? lock.media() : lock.forgetMedia()
      call.print(call.json ? { dryRun, installers } : renderInstallers(installers))
      return 0
    }
    const { accepted, ...difference } = await refreshLock(
      lock,
      async (found) => {
        if (!call.json) call.print(renderDifference(found))
        if (dryRun) return false
        return context.yes || ((await call.ask?.('build from these from now on?')) ?? false)
      },
      context,
    )
    if (call.json) call.print({ dryRun, accepted, ...difference })
    else if (isNews(difference)) call.print(`${ending(call, { dryRun, accepted })}\n`)
    else call.print(renderDifference(difference))
    return isNews(difference) && !accepted && !dryRun ? 1 : 0
  },
}

const renderInstallers = (names: readonly string[]): string =>
  names.length === 0
    ? 'imgfile.lock pins no installer\n'
    : names.map((name) => `${name}: pinned anew by the next plan or build\n`).join('')

const isNews = ({ suites }: LockDifference): boolean => suites.some(({ status }) => status === 'newer')

function ending(call: Call, { dryRun, accepted }: { dryRun: boolean; accepted: boolean }): string {
  if (accepted) return 'imgfile.lock was written'
  if (dryRun) return 'imgfile.lock was not written (--dry-run)'
  return call.ask === undefined
    ? 'imgfile.lock was not written: nobody is here to accept it; `img update --yes` does'
    : 'imgfile.lock was not written'
}

/** Pure. Every suite with its dates, then at most fifty packages of it. */
export function renderDifference({ suites, packages }: LockDifference): string {
  if (suites.length === 0) {
    return 'imgfile.lock pins nothing yet: the first `img build` or `img plan` pins what the imgfile uses\n'
  }
  const lines: string[] = []
  for (const { archive, suite, status, from, to, compared } of suites) {
    if (status !== 'newer') {
      lines.push(`${suite} (${archive}): ${from}, ${status === 'same' ? 'unchanged' : 'kept'}`)
      continue
    }
    lines.push(`${suite} (${archive}): ${from} -> ${to}`)
    const changes = packages.filter((change) => change.suite === suite)
    lines.push(...changes.slice(0, shown).map((change) => `  ${renderChange(change)}`))
    if (changes.length > shown) lines.push(`  and ${changes.length - shown} more; --json has all`)
    if (changes.length === 0 && compared) lines.push('  no package differs')
    if (!compared) lines.push('  packages not compared: the old lists are no longer in the cache')
  }
  if (packages.length > 0) lines.push(counts(packages))
  return escapeControls(`${lines.join('\n')}\n`)
}

function counts(packages: readonly PackageChange[]): string {
  const added = packages.filter(({ from }) => from === undefined).length
  const removed = packages.filter(({ to }) => to === undefined).length
  return `${packages.length - added - removed} changed, ${added} added, ${removed} removed`
}

const shown = 50

function renderChange({ name, from, to }: PackageChange): string {
  if (from === undefined) return `${name} ${to}, new`
  return to === undefined ? `${name} ${from}, removed` : `${name} ${from} -> ${to}`
}
