// Lets in what fits into the budgets, best rank first. Nothing waits for ever: a weight above its budget counts as all
// of it, and what waits at the head keeps others from taking what it waits for.

/** What one layer takes while it runs; units are the budgets'. */
export interface Weight {
  readonly memory?: number
  readonly machines?: number
}

export interface Budgets extends Weight {
  /** How many at once, at least 1. */
  readonly concurrency: number
}

export class Gate {
  readonly #budgets: Budgets
  /** Waiting entries by equal weight: of those, either the best ranked fits or none does. */
  readonly #waiting = new Map<string, WaitingClass>()
  #used: Load = empty
  #running = 0
  #closed = false
  #admitting = false

  constructor(budgets: Budgets) {
    this.#budgets = { ...budgets, concurrency: Math.max(1, Math.floor(budgets.concurrency)) }
  }

  /** True when it is this one's turn, false when the gate was closed first. Lower ranks go first. */
  enter(rank: number, weight: Weight = {}): Promise<boolean> {
    if (this.#closed) return Promise.resolve(false)
    const load = this.#loadOf(weight)
    const key = `${load.memory} ${load.machines}`
    const same = this.#waiting.get(key) ?? { load, queue: new RankQueue() }
    this.#waiting.set(key, same)
    return new Promise((resolve) => {
      same.queue.push({ rank, admit: resolve })
      this.#admitSoon()
    })
  }

  /** Gives back what `enter` with this weight took. */
  leave(weight: Weight = {}): void {
    const { memory, machines } = this.#loadOf(weight)
    this.#running -= 1
    // From nothing again, so that fractions cannot add up to a rest that never goes away.
    this.#used =
      this.#running === 0
        ? empty
        : { memory: this.#used.memory - memory, machines: this.#used.machines - machines }
    this.#admitSoon()
  }

  /** Turns away everything that waits or comes later. */
  close(): void {
    this.#closed = true
    for (const { queue } of this.#waiting.values()) for (let next; (next = queue.pop());) next.admit(false)
    this.#waiting.clear()
  }

  #loadOf(weight: Weight): Load {
    const part = (name: 'memory' | 'machines'): number =>
      Math.min(Math.max(weight[name] ?? 0, 0), this.#budgets[name] ?? Infinity)
    return { memory: part('memory'), machines: part('machines') }
  }

  /** A turn of the event loop later: what a finished layer made ready has arrived by then, and may rank better. */
  #admitSoon(): void {
    if (this.#admitting) return
    this.#admitting = true
    setImmediate(() => {
      this.#admitting = false
      this.#admit()
    })
  }

  #admit(): void {
    while (this.#running < this.#budgets.concurrency) {
      const next = this.#nextFitting()
      if (next === undefined) return
      this.#running += 1
      this.#used = add(this.#used, next.load)
      next.queue.pop()?.admit(true)
    }
  }

  /** The best ranked that fits; one passed over keeps what it lacks and what it will need from those behind it. */
  #nextFitting(): WaitingClass | undefined {
    const classes = [...this.#waiting.values()]
      .filter(({ queue }) => queue.best < Infinity)
      .toSorted((a, b) => a.queue.best - b.queue.best)
    let reserved: Load | undefined
    for (const waiting of classes) {
      if (this.#fits(waiting.load, reserved)) return waiting
      reserved ??= waiting.load
    }
    return undefined
  }

  #fits(load: Load, reserved: Load | undefined): boolean {
    return (['memory', 'machines'] as const).every(
      (name) =>
        load[name] === 0 ||
        this.#used[name] + load[name] + (reserved?.[name] ?? 0) <= (this.#budgets[name] ?? Infinity),
    )
  }
}

interface Load {
  readonly memory: number
  readonly machines: number
}

const empty: Load = { memory: 0, machines: 0 }

const add = (a: Load, b: Load): Load => ({ memory: a.memory + b.memory, machines: a.machines + b.machines })

interface WaitingClass {
  readonly load: Load
  readonly queue: RankQueue
}

interface Entry {
  readonly rank: number
  readonly admit: (admitted: boolean) => void
}

/** A binary heap: 100,000 layers may be ready at once. */
class RankQueue {
  readonly #heap: Entry[] = []

  /** Rank of the next, Infinity when empty. */
  get best(): number {
    return this.#heap[0]?.rank ?? Infinity
  }

  push(entry: Entry): void {
    const heap = this.#heap
    let place = heap.push(entry) - 1
    while (place > 0) {
      const above = (place - 1) >> 1
      if (rankAt(heap, above) <= entry.rank) break
      heap[place] = heap[above] as Entry
      place = above
    }
    heap[place] = entry
  }

  pop(): Entry | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return first
    let place = 0
    for (;;) {
      const left = 2 * place + 1
      const below = rankAt(heap, left + 1) < rankAt(heap, left) ? left + 1 : left
      if (rankAt(heap, below) >= last.rank) break
      heap[place] = heap[below] as Entry
      place = below
    }
    heap[place] = last
    return first
  }
}

const rankAt = (heap: readonly Entry[], place: number): number => heap[place]?.rank ?? Infinity
