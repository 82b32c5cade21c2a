// A machine that runs a script, reports what it said, and powers off.

import { randomUUID } from 'node:crypto'
import { guestCredentials } from '../../tasks/backends/guest-script.ts'
import type { MachineParts } from '../../tasks/backends/qemu-arguments.ts'
import { describeEnding } from '../../tasks/backends/qemu-ending.ts'
import { Machine } from '../../tasks/backends/qemu-machine.ts'

/** By name of the fact, as the script reported it. */
export type Facts = Readonly<Record<string, string>>

const minute = 60_000

/** Emulated; `script` as makeGuestScript takes it, and run when the system is up. */
export async function runGuest(parts: Partial<MachineParts>, script: string): Promise<Facts> {
  const { machine, ended } = startGuest(parts, `${whenUp}${script}\nsay end\nsystemctl poweroff\n`)
  const ending = await ended
  const facts = Object.fromEntries(machine.facts.map(({ name, text }) => [name, text]))
  if (ending.kind === 'powered-off' && 'end' in facts) return facts
  throw new Error(`the machine ${describeEnding(ending)}\n${machine.console.tail()}`)
}

/** For machines that are to fail. */
export function startGuest(
  parts: Partial<MachineParts>,
  script: string,
): { readonly machine: Machine; readonly ended: Machine['ended'] } {
  const machine = new Machine({
    parts: {
      accelerator: 'tcg',
      firmware: { kind: 'bios' },
      memory: 1024,
      cpus: 2,
      network: { outside: false, forwards: [] },
      credentials: guestCredentials,
      restarts: false,
      console: 'socket',
      ...parts,
    },
    script: { text: script, nonce: randomUUID() },
    limits: { totalMs: 20 * minute, silenceMs: 10 * minute, answerMs: 5 * minute },
    signal: new AbortController().signal,
  })
  return { machine, ended: machine.ended }
}

const whenUp = 'systemctl is-system-running --wait\n'
