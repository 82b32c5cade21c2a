// Pure.

/** By their numbers: 1.0.10 comes after 1.0.9. */
export function compareVersions(one: unknown, other: unknown): number {
  const [ones, others] = [one, other].map((version) => String(version).split('.').map(Number))
  for (const [place, part] of (ones ?? []).entries()) {
    const difference = part - (others?.[place] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
