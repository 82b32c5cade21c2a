// Did-you-mean, for every name a person can mistype. Pure.

/** The known name closest to what was written, if it is close enough to be meant. */
export function suggest(written: string, known: Iterable<string>): string | undefined {
  const limit = Math.max(1, Math.floor(written.length / 3))
  let best: string | undefined
  let bestDistance = limit + 1
  for (const name of known) {
    if (Math.abs(name.length - written.length) >= bestDistance) continue
    const distance = editDistance(written.toLowerCase(), name.toLowerCase())
    if (distance < bestDistance) {
      best = name
      bestDistance = distance
    }
  }
  return best
}

/** `did you mean X?`, else the known names, cut where a list stops being read. */
export function suggestHint(written: string, known: readonly string[], what: string): string {
  const meant = suggest(written, known)
  if (meant !== undefined) return `did you mean ${meant}?`
  if (known.length === 0) return `there are no ${what}`
  const shown = known.slice(0, 12).join(', ')
  return `${what}: ${shown}${known.length > 12 ? ` and ${known.length - 12} more` : ''}`
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      let cost = Math.min(
        at(previous, column) + 1,
        at(current, column - 1) + 1,
        at(previous, column - 1) + (same ? 0 : 1),
      )
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (swapped) cost = Math.min(cost, at(before, column - 2) + 1)
      current.push(cost)
    }
    before = previous
    previous = current
  }
  return at(previous, b.length)
}

const at = (numbers: readonly number[], index: number): number => numbers[index] ?? 0
