// The secrets of one build of a layer: asked for when a step needs them, and from then on kept out of events, log and
// errors, and looked for in what was made.

import { readFile, writeFile } from 'node:fs/promises'
import type { GivenSecret } from '../backends/backend.ts'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import type { Emit, ImgEvent } from '../events.ts'
import type { GraphLayer } from '../plan/graph.ts'
import { layerInputs } from '../plan/inputs.ts'
import { redactBytes, Redactor, redactText, type Forms } from './redact.ts'
import { secretForms } from './secret-forms.ts'
import { readSecret } from './secret-value.ts'

export interface LayerSecrets {
  /** For the backend, by the names steps use. */
  readonly given: Readonly<Record<string, GivenSecret>>
  /** A value made for this build alone. */
  readonly hide: (name: string, value: string) => void
  /** The context whose events show none of them. */
  readonly context: RunContext
  /** All that were asked for so far. */
  readonly known: () => readonly Forms[]
  /** At the end: also shows what of the output was held back. */
  readonly redactLog: (path: string) => Promise<void>
  readonly redactError: (error: unknown) => unknown
}

export function openSecrets(entry: GraphLayer, context: RunContext): LayerSecrets {
  const known: Forms[] = []
  // By value: a program that is asked again may answer another one.
  const values = new Set<string>()
  const learn = (name: string, value: Uint8Array): void => {
    const text = Buffer.from(value).toString('latin1')
    if (values.has(text)) return
    values.add(text)
    known.push({ name, forms: secretForms(value) })
  }
  const given = layerInputs(entry).flatMap(({ name, declaration }) => {
    if (declaration.kind !== 'secret') return []
    const { secret } = declaration
    const read = async (): Promise<Uint8Array> => {
      const value = await readSecret(secret, context)
      learn(secret.name, value)
      return value
    }
    return [[name, { name: secret.name, read }] as const]
  })
  const { emit, flush } = redactEvents(context.emit, () => known)
  return {
    given: Object.fromEntries(given),
    hide: (name, value) => learn(name, Buffer.from(value)),
    context: { ...context, emit },
    known: () => known,
    redactLog: async (path) => {
      flush()
      if (known.length > 0) await writeFile(path, redactBytes(await readFile(path), known))
    },
    redactError: (error) =>
      known.length > 0 && error instanceof Error ? withoutSecrets(error, known) : error,
  }
}

/** A stream's held back end comes before the next event of another kind, and with `flush`. */
function redactEvents(
  emit: Emit,
  known: () => readonly Forms[],
): { readonly emit: Emit; readonly flush: () => void } {
  const streams = { stdout: new Redactor(known), stderr: new Redactor(known) }
  let layer = ''
  const flush = (): void => {
    for (const stream of ['stdout', 'stderr'] as const) {
      const text = streams[stream].end()
      if (text !== '') emit({ event: 'output', layer, stream, text })
    }
  }
  const redacted: Emit = (event) => {
    if (known().length === 0) return emit(event)
    if (event.event === 'output') {
      layer = event.layer
      const text = streams[event.stream].push(event.text)
      return text === '' ? undefined : emit({ ...event, text })
    }
    flush()
    return emit(redactStrings(event, known()) as ImgEvent)
  }
  return { emit: redacted, flush }
}

const redactStrings = (fields: object, secrets: readonly Forms[]): object =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]: [string, unknown]) => [name, redactValue(value, secrets)]),
  )

function redactValue(value: unknown, secrets: readonly Forms[]): unknown {
  if (typeof value === 'string') return redactText(value, secrets)
  return Array.isArray(value) ? value.map((one: unknown) => redactValue(one, secrets)) : value
}

/** Without its cause, which holds the same text once more. */
function withoutSecrets(error: Error, secrets: readonly Forms[]): Error {
  const message = redactText(error.message, secrets)
  if (error instanceof ImgError) {
    const { cause: _, ...shown } = error.fields
    return new ImgError(error.code, message, redactStrings(shown, secrets))
  }
  const redacted = new Error(message)
  redacted.name = error.name
  redacted.stack = redactText(error.stack ?? '', secrets)
  return redacted
}
