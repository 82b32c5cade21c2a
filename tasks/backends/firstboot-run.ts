// One firstboot step: the machine and its network are made, the script is carried in, and what came of it is judged.

import { randomUUID } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import type { StepOf } from '../plan/step.ts'
import { resolveAcceleration } from './acceleration.ts'
import type { Work } from './backend.ts'
import { bootLimits } from './boot-once.ts'
import { openBuildNetwork, type BuildNetwork } from './build-network.ts'
import { readSecrets } from './chroot-secrets.ts'
import { agentEndpoints, openAgent } from './firstboot-agent.ts'
import { guestApt } from './firstboot-apt.ts'
import { judgeFirstboot } from './firstboot-judge.ts'
import { logPort, makeFirstboot, readFirstboot, type Firstboot, type GuestFile } from './firstboot-script.ts'
import { guestCredentials } from './guest-script.ts'
import { prepareFirmware } from './qemu-files.ts'
import { Machine } from './qemu-machine.ts'

export interface FirstbootPlace {
  readonly work: Work
  /** raw; written. */
  readonly disk: string
  /** Private; made here. */
  readonly directory: string
}

/** Throws STEP_FAILED unless the script ended well and the machine powered off. */
export async function runFirstboot(
  step: StepOf<'firstboot'>,
  place: FirstbootPlace,
  context: RunContext,
): Promise<void> {
  const { work } = place
  await mkdir(place.directory, { recursive: true })
  const apt = step.apt === undefined ? undefined : await guestApt(work.apt[step.apt])
  const secrets = await readSecrets(work, step.secrets)
  const network = await openBuildNetwork({
    directory: place.directory,
    endpoints: [...(apt?.endpoints ?? []), ...agentEndpoints(step)],
    userNamespace: context.uid !== 0,
  })
  try {
    const agent = await openAgent(step, { work, network, directory: place.directory, secrets }, context)
    try {
      const limit = step.machine?.limit ?? defaultLimit
      const carried: Firstboot = {
        script: step.script,
        limit,
        env: { ...apt?.env, ...agent?.env, ...step.env },
        files: [...(apt?.files ?? []), ...(agent?.files ?? []), ...secrets.map(secretFile)],
        hosts: agent?.hosts ?? [],
        ...(apt === undefined ? {} : { prepare: apt.prepare }),
      }
      const out = await boot({ step, place, network, limit, carried }, context)
      await agent?.check(out)
    } finally {
      await agent?.close()
    }
  } finally {
    await network.close()
  }
}

interface Boot {
  readonly step: StepOf<'firstboot'>
  readonly place: FirstbootPlace
  readonly network: BuildNetwork
  readonly carried: Firstboot
  readonly limit: number
}

/** What the script left in `out/`, by name. */
async function boot(
  { step, place, network, carried, limit }: Boot,
  context: RunContext,
): Promise<Readonly<Record<string, string>>> {
  const { layer, log } = place.work
  const { accelerator, reason } = await resolveAcceleration(context)
  context.emit({ event: 'note', layer, text: `boots with ${accelerator}: ${reason}` })
  const { text, payload } = makeFirstboot(carried)
  const bootLimit = bootLimits(accelerator)
  let output = ''
  const machine = new Machine({
    parts: {
      disk: place.disk,
      format: 'raw',
      accelerator,
      firmware: await prepareFirmware(step.machine?.firmware ?? 'bios', place.directory),
      memory: step.machine?.memory ?? defaultMemory,
      cpus: Math.max(1, Math.min(4, Math.floor(availableParallelism() / 2))),
      network: { outside: true, forwards: [] },
      credentials: guestCredentials,
      restarts: false,
      console: 'socket',
      log: logPort,
    },
    script: { text, nonce: randomUUID() },
    payload,
    // The script has a limit of its own inside; this one is for a machine that does not keep it.
    limits: { ...bootLimit, totalMs: bootLimit.totalMs + limit * 1000 },
    signal: context.signal,
    enter: network.enter,
    onConsole: (said) => context.emit({ event: 'output', layer, stream: 'stdout', text: said }),
    onLog: (said) => {
      output = (output + said).slice(-keptOutput)
      appendFileSync(log, said)
      context.emit({ event: 'output', layer, stream: 'stdout', text: said })
    },
  })
  const ending = await machine.ended
  appendFileSync(log, `${machine.console.tail(consoleLines)}\n`)
  if (context.signal.aborted) throw new ImgError('INTERRUPTED', `the machine of ${layer} was stopped`)
  const report = readFirstboot(machine.facts)
  judgeFirstboot(report, {
    layer,
    step,
    ending,
    limit,
    console: machine.console.tail(),
    output,
  })
  return report.out
}

const secretFile = ({ name, value }: { readonly name: string; readonly value: Uint8Array }): GuestFile => ({
  path: `secrets/${name}`,
  mode: '0400',
  content: value,
})

const defaultLimit = 3600
const defaultMemory = 1024
const consoleLines = 200
/** A script may print for as long as it likes; the whole of it is in the log. */
const keptOutput = 64 * 1024
