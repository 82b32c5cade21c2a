// The lines two texts differ in, as `diff` shows them. Pure.

/** `-` and `+` lines with a mark where lines between were left out; undefined when they have too little in common. */
export function diffLines(before: string, after: string): readonly string[] | undefined {
  const [old, now] = [before, after].map(toLines) as [readonly string[], readonly string[]]
  let start = 0
  while (start < old.length && start < now.length && old[start] === now[start]) start++
  let end = 0
  while (end < Math.min(old.length, now.length) - start && old.at(-1 - end) === now.at(-1 - end)) end++
  const edits = shortestEdits(old.slice(start, old.length - end), now.slice(start, now.length - end))
  return edits === undefined ? undefined : withGaps(edits, start)
}

const toLines = (text: string): readonly string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'))

type Edit = readonly [sign: '-' | '+', line: string, at: number]

/** More than this is another file and not a changed one. */
const editLimit = 400

/** Myers' greedy algorithm; `at` is the place in the old text. */
function shortestEdits(old: readonly string[], now: readonly string[]): readonly Edit[] | undefined {
  const limit = Math.min(old.length + now.length, editLimit)
  const furthest = new Map<number, number>([[1, 0]])
  const trace: ReadonlyMap<number, number>[] = []
  for (let edits = 0; edits <= limit; edits++) {
    trace.push(new Map(furthest))
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      let x = startOf(furthest, diagonal, edits)
      while (x < old.length && x - diagonal < now.length && old[x] === now[x - diagonal]) x++
      furthest.set(diagonal, x)
      if (x >= old.length && x - diagonal >= now.length) return walkBack(trace, old, now)
    }
  }
  return undefined
}

function startOf(furthest: ReadonlyMap<number, number>, diagonal: number, edits: number): number {
  const [below, above] = [furthest.get(diagonal - 1) ?? -1, furthest.get(diagonal + 1) ?? -1]
  return diagonal === -edits || (diagonal !== edits && below < above) ? above : below + 1
}

function walkBack(
  trace: readonly ReadonlyMap<number, number>[],
  old: readonly string[],
  now: readonly string[],
): readonly Edit[] {
  const found: Edit[] = []
  let [x, y] = [old.length, now.length]
  for (let edits = trace.length - 1; edits > 0; edits--) {
    const furthest = trace[edits] ?? new Map<number, number>()
    const diagonal = x - y
    const [below, above] = [furthest.get(diagonal - 1) ?? -1, furthest.get(diagonal + 1) ?? -1]
    const added = diagonal === -edits || (diagonal !== edits && below < above)
    const from = added ? above : below
    const fromY = from - (added ? diagonal + 1 : diagonal - 1)
    found.push(added ? ['+', now[fromY] ?? '', from] : ['-', old[from] ?? '', from])
    ;[x, y] = [from, fromY]
  }
  return found.toReversed()
}

function withGaps(edits: readonly Edit[], start: number): readonly string[] {
  let last: number | undefined
  return edits.flatMap(([sign, line, at]) => {
    const gap = last === undefined || at - last > 1 ? [`@@ line ${start + at + 1}`] : []
    last = at
    return [...gap, `${sign}${line}`]
  })
}
