// Why a layer's key is another than last time, from the records alone. Pure; `img why` and the plan speak with it.

import type { Change } from './change.ts'
import { explainSteps } from './explain-steps.ts'
import type { Keyed } from './decision.ts'
import { keyFormat, type KeyRecord } from './key.ts'
import type { PastBuild, PastInput } from './past-build.ts'
import type { JsonValue } from './step.ts'

/** What is asked for now; a Keyed layer is one, a newer PastBuild another. */
export interface Asked {
  readonly keyRecord: JsonValue
  readonly inputs: Readonly<Record<string, PastInput>>
  readonly parents: Keyed['parents'] | PastBuild['parents']
}

/** The differences that matter, most telling first; none when the keys are equal. */
export function explain(previous: PastBuild | undefined, now: Asked): readonly Change[] {
  if (previous === undefined) return [{ kind: 'never-built' }]
  const changes = explainRecords(previous, now)
  return previous.elsewhere === true ? [{ kind: 'elsewhere' }, ...changes] : changes
}

function explainRecords(previous: PastBuild, now: Asked): readonly Change[] {
  const was = readKeyRecord(previous.keyRecord)
  const is = readKeyRecord(now.keyRecord)
  if (was === undefined || is === undefined) return [{ kind: 'format' }]
  const steps = explainSteps(allSteps(was), allSteps(is))
  const inputs = explainInputs(previous.inputs, { inputs: now.inputs, stepsChanged: steps.length > 0 })
  return [
    ...(was.arch === is.arch ? [] : [{ kind: 'arch', was: was.arch, now: is.arch } as const]),
    ...explainParents({ was, is, before: previous.parents, after: now.parents }),
    ...inputs.filter((change) => !isPerhaps(change)),
    ...steps,
    ...inputs.filter(isPerhaps),
  ]
}

const isPerhaps = (change: Change): boolean => change.kind === 'file' && change.isPerhaps === true

/** A record of this version's format. */
function readKeyRecord(value: JsonValue): KeyRecord | undefined {
  if (typeof value !== 'object' || value === null || !('format' in value)) return undefined
  return value['format'] === keyFormat ? (value as KeyRecord) : undefined
}

const allSteps = (record: KeyRecord): readonly { mode: string; step: JsonValue }[] =>
  record.phases.flatMap(({ mode, steps }) => steps.map((step) => ({ mode, step })))

function explainParents(compared: {
  was: KeyRecord
  is: KeyRecord
  before: Asked['parents']
  after: Asked['parents']
}): Change[] {
  const { was, is } = compared
  const changes: Change[] = []
  for (const slot of new Set([...Object.keys(is.parents), ...Object.keys(was.parents)])) {
    const [old, current] = [was.parents[slot], is.parents[slot]]
    if (old === current) continue
    changes.push({
      kind: 'parent',
      slot,
      was: nameOf(compared.before, old),
      now: nameOf(compared.after, current),
    })
  }
  return changes
}

function nameOf(parents: Asked['parents'], treeDigest: string | undefined): string | undefined {
  return Object.entries(parents).find(([, parent]) => parent.treeDigest === treeDigest)?.[0]
}

function explainInputs(
  before: Readonly<Record<string, PastInput>>,
  now: { readonly inputs: Readonly<Record<string, PastInput>>; readonly stepsChanged: boolean },
): Change[] {
  const changes: Change[] = []
  for (const name of new Set([...Object.keys(now.inputs), ...Object.keys(before)])) {
    const [old, current] = [before[name], now.inputs[name]]
    if (old === undefined || current === undefined) {
      const of = (current ?? old)?.kind ?? ''
      // An input comes and goes with the steps that use it; those are told already.
      const change = old === undefined ? 'added' : 'removed'
      if (!now.stepsChanged) changes.push({ kind: 'input', input: name, of, change })
    } else if (old.digest !== current.digest && (now.stepsChanged || !onlyThroughSteps.has(current.kind))) {
      const found = explainInput(name, old, current)
      changes.push(...(onlyThroughSteps.has(current.kind) && found.length > 1 ? found.map(perhaps) : found))
    }
  }
  return changes
}

/** These may change without consequence: a comment in a preseed file, a manifest of another role. */
const onlyThroughSteps: ReadonlySet<string> = new Set(['text', 'catalog'])

const perhaps = (change: Change): Change => (change.kind === 'file' ? { ...change, isPerhaps: true } : change)

function explainInput(name: string, old: PastInput, current: PastInput): Change[] {
  const before = new Map(old.files.map((file) => [file.path, file]))
  const after = new Map(current.files.map((file) => [file.path, file]))
  const changes: Change[] = []
  const add = (path: string, change: 'changed' | 'added' | 'removed' | 'mode'): number =>
    changes.push({ kind: 'file', input: name, path, change })
  for (const [path, file] of after) {
    const was = before.get(path)
    if (was === undefined) add(path, 'added')
    else if (was.digest !== file.digest) add(path, 'changed')
    else if (was.mode !== file.mode) add(path, 'mode')
  }
  for (const path of before.keys()) if (!after.has(path)) add(path, 'removed')
  return changes.length > 0 ? changes : [{ kind: 'input', input: name, of: current.kind, change: 'changed' }]
}
