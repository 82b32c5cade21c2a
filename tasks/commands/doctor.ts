import { formatTable } from '../reporters/format.ts'
import type { HostCheck } from '../run/tool-check.ts'
import type { Command } from './command.ts'

export const doctor: Command = {
  name: 'doctor',
  summary: 'say what of this host is missing, and install it',
  arguments: '',
  options: [{ flags: '--install', description: 'install missing packages by apt, as root or through sudo' }],
  example: 'img doctor --install',
  run: async (call, context) => {
    const { checkHost } = await import('../run/host-checks.ts')
    let checks = await checkHost(context)
    const packages = missingPackages(checks)
    if (packages.length > 0 && (call.options['install'] === true || context.yes)) {
      const { installPackages } = await import('../run/tools-install.ts')
      await installPackages(packages, context)
      checks = await checkHost(context)
    }
    const { installCommand } = await import('../run/tools-install.ts')
    const still = missingPackages(checks)
    const install = still.length === 0 ? undefined : installCommand(still, context.uid)
    const healthy = checks.every(({ status }) => status !== 'missing')
    if (call.json) call.print({ healthy, checks, ...(install === undefined ? {} : { install }) })
    else call.print(renderChecks(checks, install))
    return healthy ? 0 : missingStatus
  },
}

/** As TOOL_MISSING: the environment is not as it must be. */
const missingStatus = 3

/** Also those of optional tools: who asks for an installation wants all. */
const missingPackages = (checks: readonly HostCheck[]): readonly string[] => [
  ...new Set(
    checks.flatMap((check) => (check.status === 'ok' || check.package === undefined ? [] : [check.package])),
  ),
]

/** Pure. */
export function renderChecks(checks: readonly HostCheck[], install: string | undefined): string {
  const rows = checks.map(({ name, status, found, wanted, package: name_, hint }) => [
    status === 'ok' ? 'ok' : status.toUpperCase(),
    name,
    wanted === undefined ? found : `${found} (wanted ${wanted})`,
    name_ ?? '',
    hint ?? '',
  ])
  const table = formatTable(rows)
  return install === undefined ? table : `${table}\nTo install what is missing, run\n  ${install}\n`
}
