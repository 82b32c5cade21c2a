import { resolve } from 'node:path'
import type { BuiltLayer } from '../build.ts'
import { exitCodeOf, ImgError } from '../errors.ts'
import { errorToJson } from '../reporters/error.ts'
import { fitLines } from '../reporters/fit-lines.ts'
import { formatTable } from '../reporters/format.ts'
import type { Command } from './command.ts'
import { withProject } from './with-project.ts'

export const build: Command = {
  name: 'build',
  summary: 'bring layers up to date',
  arguments: '[layers...]',
  options: [
    { flags: '-k, --keep-going', description: 'after a failure, still build what does not depend on it' },
    { flags: '--kill', description: 'after a failure, stop the layers that are being built' },
    { flags: '-j, --jobs <n>', description: 'layers to build at once', parse: positive },
    { flags: '--check', description: 'build the named layers twice and compare' },
    { flags: '--profile <file>', description: 'write a trace for chrome://tracing or Perfetto' },
    { flags: '--dry-run', description: 'only show the plan, and what installers would be started with' },
    { flags: '--frozen', description: 'refuse to change imgfile.lock' },
    { flags: '--no-remote', description: 'ask no shared cache and send it nothing' },
  ],
  example: 'img build role:ceph-node',
  run: (call, context) =>
    withProject(call, context, async (project) => {
      const { keepGoing, kill, jobs, check, profile } = call.options
      if (call.options['dryRun'] === true) {
        await (await import('./dry-run.ts')).dryRun(project, call)
        return 0
      }
      const profiled = typeof profile === 'string' ? resolve(call.cwd, profile) : undefined
      if (profiled !== undefined) (await import('../run/write-profile.ts')).checkProfile(profiled)
      const { runBuild } = await import('../build.ts')
      const result = await runBuild(project, call.args, {
        mode: kill === true ? 'kill' : keepGoing === true ? 'keep-going' : 'fail-fast',
        ...(typeof jobs === 'number' ? { jobs } : {}),
        check: check === true,
      })
      if (profiled !== undefined)
        (await import('../run/write-profile.ts')).writeProfile(profiled, result.run, context)
      if (context.signal.aborted) {
        throw new ImgError('INTERRUPTED', 'the build was interrupted', {
          hint: 'layers that were finished are kept; run the command again to go on',
        })
      }
      const output = call.json ? `${JSON.stringify(toJson(result.layers))}\n` : renderBuilt(result.layers)
      call.print(output)
      if (!call.json && call.columns !== undefined)
        call.print(fitLines(renderNext(result.layers), call.columns))
      const idle = result.layers.every(({ outcome }) => outcome.status === 'reused')
      if (idle && check !== true && call.question !== undefined && result.basis !== undefined) {
        const { rememberBuild } = await import('../run/build-basis.ts')
        rememberBuild(call.question, { output, basis: result.basis, project })
      }
      return statusOf(result.layers)
    }),
}

function positive(value: string): number {
  const number = Number(value)
  if (Number.isInteger(number) && number > 0) return number
  throw new ImgError('USAGE', `--jobs takes a number above 0, not ${value}`, {
    hint: 'img build --jobs 2',
    found: value,
  })
}

/** What changed, one layer a line, and a count. */
export function renderBuilt(layers: readonly BuiltLayer[]): string {
  const counts = new Map<string, number>()
  for (const { outcome } of layers) counts.set(outcome.status, (counts.get(outcome.status) ?? 0) + 1)
  if (counts.size === 1 && counts.has('reused')) {
    return layers.length === 1 ? '1 layer, cached\n' : `${layers.length} layers, all cached\n`
  }
  const rows = layers
    .filter(({ outcome }) => outcome.status !== 'reused')
    .map(({ name, outcome }) => [name, outcome.status, 'key' in outcome ? outcome.key.slice(0, 12) : ''])
  const summary = [...counts].map(([status, count]) => `${count} ${status}`).join(', ')
  return `${formatTable(rows)}${summary}\n`
}

/** For a person who asks what now: empty when nothing was built that could be looked at. */
export function renderNext(layers: readonly BuiltLayer[]): string {
  const image = layers.findLast(
    ({ outcome, record }) => outcome.status === 'built' && record?.artifact['disk.raw'] !== undefined,
  )
  if (image === undefined) return ''
  const { name, record } = image
  return record?.because.includes('never built') === true
    ? `next: img run ${name} boots it; img shell, img test and img export take the same name\n`
    : `next: img diff ${name} shows what changed in it\n`
}

function toJson(layers: readonly BuiltLayer[]): unknown {
  return {
    layers: layers.map(({ name, outcome, record }) => ({
      name,
      ...outcome,
      ...(outcome.status === 'failed' ? { error: errorToJson(outcome.error) } : {}),
      ...(record === undefined ? {} : { treeDigest: record.treeDigest }),
    })),
  }
}

/** The first failure decides; a layer that was not tried because of it does not. */
function statusOf(layers: readonly BuiltLayer[]): number {
  for (const { outcome } of layers) if (outcome.status === 'failed') return exitCodeOf(outcome.error)
  return layers.some(({ outcome }) => outcome.status === 'cancelled') ? 1 : 0
}
