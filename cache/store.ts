// The contract of the local store. Artifacts go in whole and come out whole; everything read is verified.

import type { JsonValue } from '../tasks/plan/step.ts'

export interface Store {
  /** Reads the record of a key; a record whose maps or packs are missing or damaged is a miss with the reason. */
  find(key: string): Promise<Found>
  /** Chunks, packs and maps the files (absolute paths by artifact name), fsynced when it returns. */
  put(files: Readonly<Record<string, string>>): Promise<Artifact>
  /** The publish point: fsynced last. The artifact must have been `put` in this store. */
  save(record: LayerRecord): Promise<void>
  /** Writes one file of an artifact, sparse, verified against its digest before it appears under `to`. */
  restore(file: ArtifactFile, to: string): Promise<void>
  /** Newest record saved under a layer's name by this project, whatever its key; what `why` and history compare with. */
  latest(layer: string): Promise<LayerRecord | undefined>
  /** Small values (logs, catalogs, remembered facts) by a namespaced key: `catalog:<digest>`. */
  readValue(key: string): Promise<Buffer | undefined>
  writeValue(key: string, value: Buffer | string): Promise<void>
}

export type Found =
  | { readonly hit: true; readonly record: LayerRecord }
  /** `record` when there is one and only the artifact's bytes are missing: its tree digest still keys the children. */
  | { readonly hit: false; readonly reason: string; readonly record?: LayerRecord }

/** An artifact's files by name. */
export type Artifact = Readonly<Record<string, ArtifactFile>>

export interface ArtifactFile {
  /** Bytes, holes included. */
  readonly size: number
  /** sha256 Merkle root over a 1 MiB grid: which bytes. */
  readonly diskDigest: string
  /** Digest of the root of the list of chunks: how to fetch them. */
  readonly mapDigest: string
  /** Pack ids the map needs, sorted. */
  readonly packs: readonly string[]
  /** Bytes not in holes; bytes this put added to the store, compressed. */
  readonly dataBytes: number
  readonly addedBytes: number
}

export interface LayerRecord {
  readonly format: 1
  readonly key: string
  readonly layer: string
  /** The preimage of `key`: canonical JSON, stored so that `why` can compare two of them. */
  readonly keyRecord: JsonValue
  readonly artifact: Artifact
  readonly treeDigest: string
  /** Every resolved input with the files behind it, also those that enter the key only through steps. */
  readonly inputs: Readonly<Record<string, RecordedInput>>
  readonly parents: Readonly<Record<string, { readonly key: string; readonly treeDigest: string }>>
  /** Why it was built, in words: what differed from the build before it. */
  readonly because: readonly string[]
  readonly backend: string
  readonly tools: Readonly<Record<string, string>>
  /** Milliseconds since 1970, and durations in ms per phase and step. */
  readonly started: number
  readonly durations: Readonly<Record<string, number>>
  readonly log: string
  /** Its bytes were removed from the store, which the record outlives: when (ms since 1970) and why. */
  readonly removed?: { readonly at: number; readonly why: string }
}

export interface RecordedInput {
  readonly kind: string
  readonly digest: string
  readonly files: readonly { readonly path: string; readonly digest: string; readonly mode?: string }[]
}
