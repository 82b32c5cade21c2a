// partman-auto's way to share a disk: everybody gets the minimum, the rest by priority up to the maximum.

import type { SchemePartition } from './partition-scheme.ts'

/** Sizes in megabytes, in the order given; integer arithmetic as in partman's expand_scheme. */
export function expandScheme(scheme: readonly SchemePartition[], freeMegabytes: number): readonly number[] {
  const spread = scheme.reduce((sum, { priority, min }) => sum + priority - min, 0) || 100
  let shares: readonly Share[] = scheme.map(({ min, priority, max }) => ({
    size: min,
    factor: Math.trunc(((priority - min) * 100) / spread),
    max,
  }))
  for (;;) {
    const next = grow(shares, freeMegabytes)
    if (
      next.every(({ size, factor }, index) => size === shares[index]?.size && factor === shares[index].factor)
    ) {
      return next.map(({ size }) => size)
    }
    shares = next
  }
}

interface Share {
  readonly size: number
  readonly factor: number
  readonly max: number
}

function grow(shares: readonly Share[], free: number): readonly Share[] {
  const factors = shares.reduce((sum, { factor }) => sum + factor, 0)
  const left = Math.max(0, free - shares.reduce((sum, { size }) => sum + size, 0))
  return shares.map(({ size, factor, max }) => {
    const grown = factors === 0 ? size : size + Math.trunc((left * factor) / factors)
    if (max !== -1 && grown > max) return { size: max, factor: 0, max }
    return { size: grown, factor, max }
  })
}
