// Runs a distribution's installer with virt-install and believes only its report.

import { randomUUID } from 'node:crypto'
import { appendFileSync, existsSync } from 'node:fs'
import { mkdir, open, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import type { InstallStep } from '../plan/step.ts'
import { findProgram } from '../run/find-program.ts'
import { runProgram } from '../run/process.ts'
import { requireTools } from '../run/tools.ts'
import { resolveAcceleration, type Accelerator } from './acceleration.ts'
import type { Backend, BackendProbe, Work, WorkResult } from './backend.ts'
import { checkInstalledDisk } from './installed-disk.ts'
import { findReport, makeInstallerFiles, type InstallerFiles } from './installer-files.ts'
import { judgeInstallation, type InstallerEnding } from './installer-judge.ts'
import { installerMirror } from './installer-mirror.ts'
import { watchInstaller, type InstallerLimits } from './installer-watch.ts'
import { startLibvirt } from './libvirt-start.ts'
import { explainWrite } from './namespace-build.ts'
import { labelOf } from './step-label.ts'
import { installFiles, makeVirtInstall } from './virt-install-command.ts'

export const libvirtBackend = (): Backend => ({
  name: 'libvirt',
  modes: ['boot'],
  steps: new Set(['install']),
  mounts: new Set(),
  needsTools: true,
  probe,
  run: (work, context) =>
    run(work, context).catch((error: unknown) => {
      throw explainWrite(work, error)
    }),
})

const programs = [
  { name: 'virt-install', package: 'virtinst' },
  { name: 'virsh', package: 'libvirt-clients' },
  { name: 'libvirtd', package: 'libvirt-daemon-system' },
  { name: 'qemu-system-x86_64', package: 'qemu-system-x86' },
] as const

function probe(): Promise<BackendProbe> {
  const missing = programs.filter(({ name }) => findProgram(name) === undefined)
  if (missing.length === 0) return Promise.resolve({ available: true })
  return Promise.resolve({
    available: false,
    reason: `${missing.map(({ name }) => name).join(', ')} missing`,
    hint: `run \`apt-get install ${missing.map((one) => one.package).join(' ')}\``,
  })
}

async function run(work: Work, context: RunContext): Promise<WorkResult> {
  const [step] = work.steps
  if (step?.do !== 'install' || work.steps.length !== 1) throw new Error('libvirt runs one install step')
  context.emit({ event: 'step-start', layer: work.layer, step: 1, steps: 1, label: labelOf(step) })
  const { accelerator, reason } = await resolveAcceleration(context)
  context.emit({ event: 'note', layer: work.layer, text: `installs with ${accelerator}: ${reason}` })
  const nonce = randomUUID()
  const mirror = await installerMirror(step, context)
  const files = makeInstallerFiles(step, { nonce, ...(mirror === undefined ? {} : { mirror }) })
  await layOut(work, { step, files }, context)
  const { ending, console, said } = await install({ work, step, files, accelerator, nonce }, context)
  const problem = judgeInstallation(ending, { layer: work.layer, step, console, said })
  if (problem !== undefined) throw problem
  const disk = join(work.directory, installFiles.disk)
  announcePhase('checking the installed disk', work, context)
  await checkInstalledDisk(work, disk, context)
  return { files: { 'disk.raw': disk }, toolVersions: await versions(context) }
}

async function layOut(
  work: Work,
  { step, files }: Pick<Installation, 'step' | 'files'>,
  context: RunContext,
): Promise<void> {
  const at = (name: string): string => join(work.directory, name)
  const medium = work.inputs[step.input]
  if (medium === undefined) throw new Error(`the installer of ${work.layer} was not staged`)
  await symlink(medium, at(dirname(installFiles.kernel)))
  for (const [name, content] of Object.entries(files.inject)) await writeFile(at(name), content)
  const disk = await open(at(installFiles.disk), 'wx', 0o600)
  await disk.truncate(step.size)
  await disk.close()
  // libvirt makes them where they are missing, for the user it runs machines as.
  for (const name of [installFiles.console, installFiles.report]) await writeFile(at(name), '')
  if (files.seed !== undefined) await makeSeed(work, files.seed, context)
}

async function makeSeed(
  work: Work,
  seed: Readonly<Record<string, string>>,
  context: RunContext,
): Promise<void> {
  await requireTools(['xorriso'], context)
  const folder = join(work.directory, 'seed')
  await mkdir(folder)
  for (const [name, content] of Object.entries(seed)) await writeFile(join(folder, name), content)
  const image = join(work.directory, installFiles.seed)
  const { exitCode, stderr } = await runProgram(
    [...'xorriso -as mkisofs -V cidata -J -r -o'.split(' '), image, folder],
    { signal: context.signal, log: work.log },
  )
  if (exitCode === 0) return
  throw new ImgError('STEP_FAILED', `layer ${work.layer}: the disk with the answers cannot be made`, {
    layer: work.layer,
    output: stderr,
    hint: 'look at what xorriso says',
  })
}

interface Installation {
  readonly work: Work
  readonly step: InstallStep
  readonly files: InstallerFiles
  readonly accelerator: Accelerator
  readonly nonce: string
}

async function install(
  { work, step, files, accelerator, nonce }: Installation,
  context: RunContext,
): Promise<{ readonly ending: InstallerEnding; readonly console: string; readonly said: string }> {
  const at = (name: string): string => join(work.directory, name)
  const libvirt = await startLibvirt({
    directory: work.directory,
    name: `img-${nonce.slice(0, 13)}`,
    connect: step.machine?.connect,
    uid: context.uid,
  })
  const stop = new AbortController()
  const over = new AbortController()
  const watch = watchInstaller({
    consoleFile: at(installFiles.console),
    diskFile: at(installFiles.disk),
    limits: limitsOf(step, accelerator),
    now: context.now,
    over: over.signal,
    onText: (text) => {
      appendFileSync(work.log, text)
      context.emit({ event: 'output', layer: work.layer, stream: 'stdout', text })
    },
    onPhase: (phase) => announcePhase(phase, work, context),
  })
  const stopping = watch.stopped.then(
    (stopped) => {
      if (stopped !== undefined) stop.abort()
      return stopped
    },
    (error: unknown) => {
      stop.abort()
      throw error
    },
  )
  // Waited for when virt-install has ended; until then it is nobody's.
  stopping.catch(() => undefined)
  try {
    const argv = makeVirtInstall({
      step,
      files,
      accelerator,
      name: libvirt.name,
      connect: libvirt.connect,
      medium: existsSync(at(installFiles.iso)) ? 'iso' : 'kernel',
      directory: work.directory,
    })
    appendFileSync(work.log, `+ ${argv.join(' ')}\n`)
    const ran = await runProgram(libvirt.wrap(argv), {
      cwd: work.directory,
      env: libvirt.env,
      signal: AbortSignal.any([context.signal, stop.signal]),
      isolation: libvirt.isolation,
    }).catch((error: unknown) => {
      if (stop.signal.aborted && !context.signal.aborted) return undefined
      throw error
    })
    over.abort()
    const stopped = await stopping
    const report = await readFile(at(installFiles.report), 'utf8').catch(() => '')
    const consoleText = await readFile(at(installFiles.console), 'utf8').catch(() => '')
    const ending: InstallerEnding =
      stopped === undefined
        ? {
            kind: 'ended',
            exitCode: ran?.exitCode ?? 128,
            report: findReport(report, nonce) ?? findReport(consoleText, nonce),
          }
        : { kind: 'stopped', stop: stopped }
    const said = `${ran?.stdout ?? ''}${ran?.stderr ?? ''}`.trim()
    appendFileSync(work.log, `${said}\n`)
    return { ending, console: watch.console.tail(), said }
  } finally {
    over.abort()
    await libvirt.close()
  }
}

/** Emulation is ten times slower, and slower again beside other work. */
function limitsOf({ machine }: InstallStep, accelerator: Accelerator): InstallerLimits {
  const slow = accelerator === 'tcg' ? 6 : 1
  const { limit = slow * 3600, silence = slow * 300 } = machine ?? {}
  return { totalMs: limit * 1000, silenceMs: silence * 1000, standingMs: slow * 5000 }
}

function announcePhase(label: string, work: Work, { emit }: RunContext): void {
  emit({ event: 'step-start', layer: work.layer, step: 1, steps: 1, label })
}

async function versions({ signal }: RunContext): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {}
  for (const name of ['virt-install', 'libvirtd', 'qemu-system-x86_64']) {
    const { stdout } = await runProgram([name, '--version'], { signal, timeoutMs: 20_000 })
    found[name] = /\d+(?:\.\d+)+/.exec(stdout)?.[0] ?? ''
  }
  return found
}
