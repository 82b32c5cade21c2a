// Whether KVM works here is tried, not read off: /dev/kvm may open and still hang on the first real kernel.

import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { access, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import { findProgram } from '../run/find-program.ts'
import { startProgram } from '../run/process.ts'
import { probeExitCode, probeKernel } from './acceleration-kernel.ts'

export type Accelerator = 'kvm' | 'tcg'

export interface Acceleration {
  readonly accelerator: Accelerator
  /** A clause: "KVM runs a test kernel", "IMG_ACCEL=tcg". */
  readonly reason: string
}

export interface ProbeOptions {
  readonly device?: string
  /** Folders with programs, separated by colons. */
  readonly path?: string
  readonly limitMs?: number
}

/** `IMG_ACCEL`, else what the probe said since the machine was started, else a probe. */
export async function resolveAcceleration(
  context: RunContext,
  options: ProbeOptions = {},
): Promise<Acceleration> {
  const wanted = wantedAcceleration(context)
  if (wanted !== undefined) return wanted
  const device = options.device ?? '/dev/kvm'
  const closed = await whyClosed(device)
  if (closed !== undefined) return { accelerator: 'tcg', reason: closed }
  const qemu = findProgram('qemu-system-x86_64', options.path)
  if (qemu === undefined) return { accelerator: 'tcg', reason: 'qemu-system-x86_64 is missing' }
  const host = await hostIdentity(qemu)
  const file = join(context.cacheDir, 'acceleration.json')
  const known = await remembered(file, host)
  if (known !== undefined) return known
  const found = await probe(qemu, options, context)
  await remember(file, { host, ...found })
  return found
}

/** What `IMG_ACCEL` says; a command that will start a machine asks before it builds the image. */
export function wantedAcceleration({ env }: Pick<RunContext, 'env'>): Acceleration | undefined {
  const wanted = env['IMG_ACCEL']
  if (wanted === 'kvm' || wanted === 'tcg') return { accelerator: wanted, reason: `IMG_ACCEL=${wanted}` }
  if (wanted === undefined || wanted === '') return undefined
  throw new ImgError('USAGE', `IMG_ACCEL is "${wanted}"`, {
    hint: 'set it to kvm or tcg, or leave it out to have it tried',
    found: wanted,
    validOptions: ['kvm', 'tcg'],
  })
}

async function whyClosed(device: string): Promise<string | undefined> {
  try {
    await access(device, constants.R_OK | constants.W_OK)
    return undefined
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    return missing ? `there is no ${device}` : `${device} may not be opened by this user`
  }
}

/** Another boot may mean another kernel, hypervisor or machine; another qemu may succeed where this one fails. */
async function hostIdentity(qemu: string): Promise<string> {
  const [boot, { size, mtimeMs }] = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    stat(qemu),
  ])
  return `${boot.trim()} ${qemu} ${size} ${mtimeMs}`
}

async function remembered(file: string, host: string): Promise<Acceleration | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '{}')
  try {
    const { host: of, accelerator, reason } = JSON.parse(text) as Acceleration & { host: string }
    if (of !== host || (accelerator !== 'kvm' && accelerator !== 'tcg')) return undefined
    return { accelerator, reason }
  } catch {
    return undefined
  }
}

/** Only a memory: a folder that cannot be written costs another probe, nothing else. */
async function remember(file: string, value: Acceleration & { readonly host: string }): Promise<void> {
  const temporary = `${file}.${randomUUID()}`
  try {
    await mkdir(join(file, '..'), { recursive: true })
    await writeFile(temporary, `${JSON.stringify(value)}\n`)
    await rename(temporary, file)
  } catch {
    await rm(temporary, { force: true })
  }
}

async function probe(qemu: string, options: ProbeOptions, context: RunContext): Promise<Acceleration> {
  const limitMs = options.limitMs ?? 10_000
  const kernel = join(context.cacheDir, `probe-kernel.${randomUUID()}`)
  await mkdir(context.cacheDir, { recursive: true })
  await writeFile(kernel, probeKernel)
  let late = false
  const program = startProgram(
    [
      [qemu, '-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none', '-machine', 'q35'],
      ['-accel', 'kvm', '-cpu', 'host', '-m', '64', '-kernel', kernel],
      ['-device', 'isa-debug-exit,iobase=0xf4,iosize=1'],
    ].flat(),
    {
      ...(options.path === undefined ? {} : { env: { PATH: options.path } }),
      // qemu only pauses then.
      onStderr: (text) => {
        if (text.includes(kvmFailure)) stop()
      },
    },
  )
  const stop = (): void => program.kill('SIGKILL')
  const timer = setTimeout(() => {
    late = true
    stop()
  }, limitMs)
  context.signal.addEventListener('abort', stop)
  if (context.signal.aborted) stop()
  const { exitCode, stderr } = await program.exited
  clearTimeout(timer)
  context.signal.removeEventListener('abort', stop)
  await rm(kernel, { force: true })
  if (context.signal.aborted) throw new ImgError('INTERRUPTED', 'the probe of KVM was interrupted')
  if (exitCode === probeExitCode) return { accelerator: 'kvm', reason: 'KVM ran a test kernel' }
  const said = stderr.split('\n').find((line) => line !== '')
  const how = late
    ? `did not within ${limitMs / 1000} s`
    : (said ?? `qemu ended with ${exitCode ?? 'a signal'}`)
  return { accelerator: 'tcg', reason: `KVM was to run a test kernel: ${how}` }
}

/** What qemu says before it stands still for ever. */
export const kvmFailure = 'KVM internal error'
