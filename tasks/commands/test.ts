import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Check, Expectations } from '../backends/boot-checks.ts'
import type { BootTest, BootTestOptions } from '../backends/boot-test.ts'
import type { RunContext } from '../context.ts'
import { formatDuration, formatTable } from '../reporters/format.ts'
import type { LayerDisks } from '../run/layer-disks.ts'
import type { Call, Command } from './command.ts'
import { toFirmware, toWholeNumber } from './machine-options.ts'
import { withLayerDisks, type WithLayerDisks } from './with-layer-disks.ts'

export interface LayerTest extends BootTest {
  readonly layer: string
  /** The same bytes passed the same test before. */
  readonly kept: boolean
}

export const makeTest = (open: WithLayerDisks): Command => ({
  name: 'test',
  summary: 'boot images under qemu and check what they say',
  arguments: '<layers...>',
  options: [
    { flags: '--firmware <kind>', description: 'bios or uefi', parse: toFirmware, default: 'bios' },
    {
      flags: '--memory <MiB>',
      description: 'memory of each machine',
      parse: toWholeNumber('--memory', 128),
      default: 1024,
    },
    {
      flags: '--limit <seconds>',
      description: 'how long a boot may take',
      parse: toWholeNumber('--limit', 1),
    },
    { flags: '--restart', description: 'start one machine again: it must be the same machine' },
    { flags: '--again', description: 'test also what passed before' },
  ],
  example: "img test 'role:*'",
  run: async (call, context) => {
    const firmware = call.options['firmware'] as BootTestOptions['firmware']
    await requireMachines(firmware, context)
    return open(call, context, async (disks) => {
      const results: LayerTest[] = []
      for (const layer of await disks.select(call.args)) {
        const result = await testLayer({ layer, disks, call }, context)
        results.push(result)
        if (!call.json) call.print(`${renderTest(result)}\n`)
      }
      if (call.json) call.print({ layers: results })
      return results.every(({ passed }) => passed) ? 0 : 1
    })
  },
})

export const test: Command = makeTest(withLayerDisks)

/** Throws what this host lacks to boot one. */
export async function requireMachines(
  firmware: BootTestOptions['firmware'],
  context: RunContext,
): Promise<void> {
  const [{ wantedAcceleration }, { requireTools }] = await Promise.all([
    import('../backends/acceleration.ts'),
    import('../run/tools.ts'),
  ])
  wantedAcceleration(context)
  const needed = ['setpriv', 'qemu-img', 'qemu-system-x86_64'] as const
  await requireTools(firmware === 'uefi' ? [...needed, 'UEFI firmware'] : needed, context)
}

interface Subject {
  readonly layer: string
  readonly disks: LayerDisks
  readonly call: Call
}

export async function testLayer(subject: Subject, context: RunContext): Promise<LayerTest> {
  const { layer, disks, call } = subject
  const { bootTestVersion } = await import('../backends/boot-test.ts')
  const tried = disks.tried(layer)
  const expectations = await disks.expectations(layer)
  // Memory and limits decide whether it passes, not what a pass means.
  const said = JSON.stringify([
    bootTestVersion,
    tried,
    tried === 'disk' ? await disks.digest(layer) : await disks.filesDigest(layer),
    expectations,
    call.options['firmware'],
    call.options['restart'] === true,
    await readVersion(tried, context),
  ])
  const key = `boot-test:${createHash('sha256').update(said).digest('hex')}`
  const kept = call.options['again'] === true ? undefined : await disks.readValue(key)
  if (kept !== undefined) return { layer, kept: true, ...(JSON.parse(kept.toString()) as BootTest) }
  const result = await tryLayer(subject, { tried, expectations }, context)
  // A failure may be the machine's, so it is tried again next time.
  if (result.passed) await disks.writeValue(key, JSON.stringify(result))
  return { layer, kept: false, ...result }
}

type Tried = ReturnType<LayerDisks['tried']>

/** Of what runs it. */
async function readVersion(tried: Tried, context: RunContext): Promise<string> {
  if (tried !== 'container') return (await import('../backends/qemu.ts')).readQemuVersion(context)
  const { requireTools } = await import('../run/tools.ts')
  await requireTools(['podman'], context)
  return (await import('../backends/container-test.ts')).readPodmanVersion(context)
}

async function tryLayer(
  { layer, disks, call }: Subject,
  { tried, expectations }: { readonly tried: Tried; readonly expectations: Expectations },
  context: RunContext,
): Promise<BootTest> {
  const { testImage } = await import('../backends/boot-test.ts')
  const { firmware, memory, restart, limit } = call.options
  const options: BootTestOptions = {
    layer,
    expectations,
    firmware: firmware as BootTestOptions['firmware'],
    memory: memory as number,
    restart: restart === true && tried === 'disk',
    ...(limit === undefined ? {} : { limit: limit as number }),
  }
  if (tried === 'disk') return testImage({ kind: 'disk', disk: await disks.disk(layer) }, options, context)
  const { openWorkspace } = await import('../run/workspace.ts')
  const workspace = await openWorkspace(context.cacheDir)
  try {
    if (tried === 'container') {
      const { testContainer } = await import('../backends/container-test.ts')
      const [directory, archive] = [workspace.path, join(workspace.path, 'image.tar')]
      await disks.restore(layer, 'image.tar', archive)
      return await testContainer({ archive, directory, expectations }, context)
    }
    const files = await disks.files(layer)
    for (const file of Object.keys(files)) await disks.restore(layer, file, join(workspace.path, file))
    // What a machine without a disk boots lies in its memory, and twice while it is unpacked.
    const bytes = Object.values(files).reduce((total, size) => total + size, 0)
    const own = {
      ...options,
      memory: options.memory + Math.ceil((2 * bytes) / 2 ** 20),
      ...('ramdisk.efi' in files ? { firmware: 'uefi' as const } : {}),
    }
    return await testImage({ kind: 'memory', folder: workspace.path }, own, context)
  } finally {
    await workspace.remove()
  }
}

/** Pure. Everything when it failed, one line when it passed. */
export function renderTest(result: LayerTest): string {
  const { layer, checks, ms } = result
  const failed = checks.filter(({ passed }) => !passed)
  const how = result.kept
    ? 'passed before'
    : [result.accelerator, result.firmware, formatDuration(ms)].filter(Boolean).join(', ')
  if (result.passed) return `${layer} passed: ${checks.length} checks (${how})`
  const head = `${layer} FAILED: ${failed.length} of ${checks.length} checks (${how})`
  const parts = [head, formatTable(checks.map(row)).trimEnd()]
  const log = result.boots.map(({ failedLog }) => failedLog).find((text) => text !== '')
  if (log !== undefined) parts.push('  failed units said', ...indented(log))
  if (result.console !== undefined) parts.push('  last console lines', ...indented(result.console))
  if (result.hint !== undefined && result.hint !== '') parts.push(`  hint ${result.hint}`)
  return parts.join('\n')
}

const row = ({ name, passed, detail }: Check): string[] => [passed ? '  ok' : '  FAILED', name, detail]

const indented = (text: string): string[] => text.split('\n').map((line) => `    | ${line}`)
