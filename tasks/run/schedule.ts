// Runs layers in the order of their edges. p-graph says what is ready; when a ready layer starts is decided here, since
// p-graph knows no weights, no interruption, and goes on starting tasks after a failure.

import { PGraph } from 'p-graph'
import { ImgError } from '../errors.ts'
import type { Outcome } from '../plan/outcome.ts'
import type { Layer, LayerName } from '../plan/recipe.ts'
import { type Budgets, Gate, type Weight } from './gate.ts'

export interface ScheduledLayer {
  readonly name: LayerName
  /** Layers that must end well before this one starts; those not scheduled count as done. */
  readonly needs: readonly LayerName[]
  /** Expected milliseconds: what the longest chain of them leads to starts first. */
  readonly expectedMs?: number
  readonly weight?: Weight
}

export interface ScheduleOptions {
  /** Becomes what it returns; an ImgError it throws is a failed outcome. The signal is aborted by an interrupt and by `kill`. */
  readonly run: (name: LayerName, signal: AbortSignal) => Promise<Outcome>
  readonly budgets: Budgets
  /**
   * After a failure: `fail-fast` starts nothing more, `kill` also aborts what runs, `keep-going` starts everything that
   * does not stand on the failed layer.
   */
  readonly mode: 'fail-fast' | 'keep-going' | 'kill'
  /** Interrupts: what runs is aborted, the rest is cancelled. */
  readonly signal: AbortSignal
  /** Milliseconds, for the outcome of a layer whose `run` threw. */
  readonly now: () => number
  /** Replaces the order by a random one that this number decides; no result may depend on it. */
  readonly seed?: number
}

/**
 * One outcome for every layer, in the order given, which is parents first. Rejects only for a mistake in `run`, after
 * all that runs has ended.
 */
export async function schedule(
  layers: readonly ScheduledLayer[],
  options: ScheduleOptions,
): Promise<ReadonlyMap<LayerName, Outcome>> {
  const scheduled = new Map(layers.map((layer) => [layer.name, layer]))
  const edges = layers.flatMap(({ name, needs }) =>
    needs.filter((need) => scheduled.has(need)).map((need): [string, string] => [need, name]),
  )
  const run = new ScheduleRun(scheduled, options)
  const interrupt = (): void => run.interrupt(options.signal.reason)
  if (options.signal.aborted) interrupt()
  options.signal.addEventListener('abort', interrupt, { once: true })
  try {
    // No limit here: a layer that waits at the gate must not take the place of one that could run.
    const graph = new PGraph(new Map(layers.map(({ name }) => [name, {}])), edges)
    await graph.run({ run: (name) => run.task(name as LayerName) })
  } finally {
    options.signal.removeEventListener('abort', interrupt)
  }
  return run.outcomes()
}

/** What a layer takes: its recipes run one after the other, so the heaviest counts. */
export function weightOf(layer: Pick<Layer, 'recipes'>): Weight {
  const most = (name: 'memory' | 'machines'): number =>
    layer.recipes.reduce((max, recipe) => Math.max(max, recipe.weight?.[name] ?? 0), 0)
  return { memory: most('memory'), machines: most('machines') }
}

class ScheduleRun {
  readonly #layers: ReadonlyMap<LayerName, ScheduledLayer>
  readonly #ranks: ReadonlyMap<LayerName, number>
  readonly #options: ScheduleOptions
  readonly #gate: Gate
  readonly #outcomes = new Map<LayerName, Outcome>()
  readonly #abort = new AbortController()
  /** Why nothing more is started. */
  #stopped: string | undefined
  #mistake: { readonly error: unknown } | undefined

  constructor(layers: ReadonlyMap<LayerName, ScheduledLayer>, options: ScheduleOptions) {
    this.#layers = layers
    this.#options = options
    this.#ranks = rank([...layers.values()], options.seed)
    this.#gate = new Gate(options.budgets)
  }

  /** Never rejects: a rejection would make p-graph answer while others still run. */
  async task(name: LayerName): Promise<void> {
    const layer = this.#layers.get(name)
    if (layer !== undefined) this.#outcomes.set(name, await this.#runWhenAdmitted(layer))
  }

  stop(because: string, { abort }: { readonly abort: boolean }): void {
    this.#stopped ??= because
    this.#gate.close()
    if (abort) this.#abort.abort()
  }

  /** A reason that is a text is told; anything else is what an AbortController makes up. */
  interrupt(reason: unknown): void {
    this.#stopped ??= typeof reason === 'string' ? reason : 'interrupted'
    this.#gate.close()
    this.#abort.abort(reason)
  }

  outcomes(): ReadonlyMap<LayerName, Outcome> {
    if (this.#mistake !== undefined) throw this.#mistake.error
    const all = [...this.#layers.keys()].map((name): [LayerName, Outcome] => [
      name,
      this.#outcomes.get(name) ?? this.#cancelled(),
    ])
    return new Map(all)
  }

  async #runWhenAdmitted(layer: ScheduledLayer): Promise<Outcome> {
    const below = this.#failureBelow(layer)
    if (below !== undefined) return below
    if (!(await this.#gate.enter(this.#ranks.get(layer.name) ?? 0, layer.weight))) return this.#cancelled()
    const outcome = await this.#run(layer)
    this.#gate.leave(layer.weight)
    if (outcome.status !== 'failed') return outcome
    // What we aborted ourselves did not fail.
    if (this.#abort.signal.aborted && outcome.error.code === 'INTERRUPTED') return this.#cancelled()
    const { mode } = this.#options
    if (mode !== 'keep-going') this.stop(`${layer.name} failed`, { abort: mode === 'kill' })
    return outcome
  }

  async #run(layer: ScheduledLayer): Promise<Outcome> {
    const started = this.#options.now()
    try {
      return await this.#options.run(layer.name, this.#abort.signal)
    } catch (error) {
      const ms = this.#options.now() - started
      if (error instanceof ImgError) return { status: 'failed', error, ms }
      this.#mistake ??= { error }
      this.stop(`img made a mistake in ${layer.name}`, { abort: true })
      return this.#cancelled()
    }
  }

  /** The layer that failed is named all the way up, not the cancelled one in between. */
  #failureBelow(layer: ScheduledLayer): Outcome | undefined {
    for (const need of layer.needs) {
      const outcome = this.#outcomes.get(need)
      if (outcome?.status === 'failed') return { status: 'cancelled', because: `${need} failed` }
      if (outcome?.status === 'cancelled') return outcome
    }
    return undefined
  }

  #cancelled(): Outcome {
    return { status: 'cancelled', because: this.#stopped ?? 'interrupted' }
  }
}

/**
 * Places in the order of starting: first what the longest expected way to the end leads through, else as given. A layer
 * without history counts as the average of the others.
 */
function rank(layers: readonly ScheduledLayer[], seed: number | undefined): ReadonlyMap<LayerName, number> {
  const known = layers.flatMap(({ expectedMs }) => expectedMs ?? [])
  const average = known.length === 0 ? 1 : known.reduce((sum, ms) => sum + ms, 0) / known.length
  const longestAbove = new Map<LayerName, number>()
  const total = new Map<LayerName, number>()
  for (const { name, needs, expectedMs } of layers.toReversed()) {
    const ms = (expectedMs ?? average) + (longestAbove.get(name) ?? 0)
    total.set(name, ms)
    for (const need of needs) longestAbove.set(need, Math.max(ms, longestAbove.get(need) ?? 0))
  }
  const random = seed === undefined ? undefined : randomNumbers(seed)
  const order = layers.map(({ name }) => ({ name, weight: random?.() ?? total.get(name) ?? 0 }))
  return new Map(order.toSorted((a, b) => b.weight - a.weight).map(({ name }, place) => [name, place]))
}

/** mulberry32. */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
