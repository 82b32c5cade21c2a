// What `run`, `test` and `export` know of layers: their disks, and what they promise.

import type { Expectations } from '../backends/boot-checks.ts'
import type { Recipe } from '../plan/recipe.ts'

export interface LayerDisks {
  /** The names the selectors mean, without parents. A selector that matches nothing is LAYER_UNKNOWN. */
  select(selectors: readonly string[]): Promise<readonly string[]>
  /** Whether the artifact is files for a deployment environment instead of a disk; builds nothing. */
  isTarget(name: string): boolean
  /** Name of the recipe that is its last: `docker`, `puppet`; builds nothing. */
  kind(name: string): string
  /** Whether its disk began as a template somebody else may have made; builds nothing. */
  isForeign(name: string): boolean
  /** Folder of the unpacked tool tree its disk was made with. */
  tools(name: string): Promise<string>
  /** Its key, built when it is not there yet. */
  key(name: string): Promise<string>
  /** The artifact's files, built when they are not there yet: bytes by name. A layer has one, `disk.raw`. */
  files(name: string): Promise<Readonly<Record<string, number>>>
  /** Writes one of them, verified, and on disk when it returns. */
  restore(name: string, file: string, to: string): Promise<void>
  /**
   * The layer's disk, built when it is not there yet: absolute path of a raw file nobody may write. Of a target, the
   * disk its files are made from.
   */
  disk(name: string): Promise<string>
  /** What is to be tried of it: see Recipe. */
  tried(name: string): NonNullable<Recipe['tried']>
  /** Which bytes `disk` gives: what a test's result holds for. */
  digest(name: string): Promise<string>
  /** Which bytes all its files have. */
  filesDigest(name: string): Promise<string>
  expectations(name: string): Promise<Expectations>
  /** Small values kept in the store. */
  readValue(key: string): Promise<Buffer | undefined>
  writeValue(key: string, value: string): Promise<void>
}
