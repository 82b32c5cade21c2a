// What a build got of the mirror, kept beside its record: who has them can build again when the mirror has moved on.

import type { Digested } from '../../cache/mirror/content.ts'

/** Name of the value. */
export const packagesOf = (key: string): string => `packages:${key}`

export const renderPackages = (files: readonly Digested[]): string =>
  JSON.stringify(files.map(({ sha256, size }) => [sha256, size]))

export function parsePackages(value: Buffer | undefined): readonly Digested[] {
  if (value === undefined) return []
  const pairs = JSON.parse(value.toString()) as readonly (readonly [sha256: string, size: number])[]
  return pairs.map(([sha256, size]) => ({ sha256, size }))
}
