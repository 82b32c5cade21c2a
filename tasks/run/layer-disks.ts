// What `run`, `test` and `export` know of layers: their disks, and what they promise.

import type { Expectations } from '../backends/boot-checks.ts'

export interface LayerDisks {
  /** The names the selectors mean, without parents. A selector that matches nothing is LAYER_UNKNOWN. */
  select(selectors: readonly string[]): Promise<readonly string[]>
  /** The layer's disk, built when it is not there yet: absolute path of a raw file nobody may write. */
  disk(name: string): Promise<string>
  /** Which bytes `disk` gives: what a test's result holds for. */
  digest(name: string): Promise<string>
  expectations(name: string): Promise<Expectations>
  /** Small values kept in the store. */
  readValue(key: string): Promise<Buffer | undefined>
  writeValue(key: string, value: string): Promise<void>
}
