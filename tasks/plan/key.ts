// The key of a layer: sha256 of the canonical record of everything that decides its content, and of nothing else.
// Pure. The same recipes on the same inputs have the same key on every machine.

import { createHash } from 'node:crypto'
import { canonicalJson } from './canonical.ts'
import type { Phase } from './phases.ts'
import type { JsonValue, Mode, Step } from './step.ts'

export interface KeyFacts {
  /** Debian's name: `amd64`, `arm64`. */
  readonly arch: string
  readonly phases: readonly Phase[]
  /** Digests of the inputs that are in the key, by the name steps use. */
  readonly inputs: Readonly<Record<string, string>>
  /** Tree digests of the layers needed, by slot: `from`, `tools`… */
  readonly parents: Readonly<Record<string, string>>
}

export interface Key {
  readonly key: string
  readonly record: KeyRecord
}

/** The preimage: stored with the build's record, so that two of them can be compared in words. */
export type KeyRecord = JsonValue & {
  readonly format: number
  readonly arch: string
  readonly phases: readonly {
    readonly mode: Mode
    readonly tools?: string
    readonly steps: readonly JsonValue[]
  }[]
  readonly inputs: Readonly<Record<string, string>>
  readonly parents: Readonly<Record<string, string>>
}

/** Raised when equal steps begin to give another content: the meaning of a step changed. */
export const keyFormat = 2

export function computeKey(facts: KeyFacts): Key {
  const record: KeyRecord = {
    format: keyFormat,
    arch: facts.arch,
    phases: facts.phases.map((phase) => ({
      mode: phase.mode,
      ...(phase.tools === undefined ? {} : { tools: phase.tools }),
      steps: phase.steps.map(keyedPart),
    })),
    inputs: facts.inputs,
    parents: facts.parents,
  }
  return { key: createHash('sha256').update(canonicalJson(record)).digest('hex'), record }
}

/** Labels are for people, and a machine's memory and limits for the scheduler. */
function keyedPart(step: Step): JsonValue {
  const { label: _label, machine: _machine, ...keyed } = step as Step & Readonly<Record<Unkeyed, unknown>>
  return keyed as unknown as JsonValue
}

type Unkeyed = 'label' | 'machine'
