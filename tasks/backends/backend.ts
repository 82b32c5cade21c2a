// The contract of a backend. test/contract/backend.ts is the same contract as a suite; every backend and the fake run it.

import type { RunContext } from '../context.ts'
import type { ScriptFunction } from '../plan/recipe.ts'
import type { Mode, Step } from '../plan/step.ts'

export interface Backend {
  readonly name: string
  readonly modes: readonly Mode[]
  /** What it can do; each step goes to the first backend that has it. */
  readonly steps: ReadonlySet<Step['do']>
  /** Those of them for which this machine's kernel mounts the disk's filesystems: not for a disk of strangers. */
  readonly mounts: ReadonlySet<Step['do']>
  /** Whether it works by programs of the tool tree, in everything but a tree that begins by its own. */
  readonly needsTools?: true
  /** Whether it takes `Work.parentBelow`. */
  readonly overlays?: true
  /** Whether it works on this machine for this user; never throws. */
  probe(context: RunContext): Promise<BackendProbe>
  /**
   * Runs the steps in order and leaves the artifact's files in `work.directory`. Throws ImgError (STEP_FAILED,
   * PUPPET_FAILED, DISK_FULL, INTERRUPTED…). Whatever happens, also kill -9: no mount, process or loop device of it survives.
   */
  run(work: Work, context: RunContext): Promise<WorkResult>
}

export type BackendProbe =
  | {
      readonly available: true
      /** It cannot change a disk there is: it works only where a chain begins. */
      readonly firstOnly?: true
    }
  | { readonly available: false; readonly reason: string; readonly hint: string }

export interface Work {
  readonly layer: string
  /** What may be derived for the layer alone (a UUID, a MAC address) is derived from its key. */
  readonly key: string
  readonly mode: Mode
  readonly arch: string
  readonly steps: readonly Step[]
  /** What the steps start from, read-only: the parent's disk or that of the part before; absent where a chain begins. */
  readonly parentDisk?: string
  /**
   * What `parentDisk` is itself an overlay on, nearest first; empty for a plain disk. Present: the result may be an
   * overlay, too. Absent: both are plain.
   */
  readonly parentBelow?: readonly string[]
  /** Files of a parent that is no disk but a target, by name; what is made of a template starts from these. */
  readonly parentFiles?: Readonly<Record<string, string>>
  /** Disks of all layers the parent stands on, read-only, oldest first; empty when no recipe asks for the chain. */
  readonly chain: readonly string[]
  /** Folder of the unpacked tool tree; absent only while the tool tree itself is built. */
  readonly tools?: string
  /** Host path of each staged input, by the name steps use. */
  readonly inputs: Readonly<Record<string, string>>
  /** The function behind each script input, which cannot be staged; absent when no step is one. */
  readonly scripts?: Readonly<Record<string, ScriptFunction>>
  /** The secrets steps name, each asked for when its step runs. */
  readonly secrets?: Readonly<Record<string, GivenSecret>>
  /** Keeps a value made for this build alone out of log, events and errors, and fails the layer if it is in its files. */
  readonly hide?: (name: string, value: string) => void
  /** How each apt input is reached while building. */
  readonly apt: Readonly<Record<string, AptAccess>>
  /** Seconds since 1970: when the first part of the layer's work began; absent when this is all of it. */
  readonly since?: number
  /** Private, empty, on the cache's filesystem; the caller removes it. */
  readonly directory: string
  /** Raw output of the tools, appended as it comes. */
  readonly log: string
}

export interface GivenSecret {
  /** Of the file a step finds it in. */
  readonly name: string
  /** Throws INPUT_MISSING when it is not to be had. */
  readonly read: () => Promise<Uint8Array>
}

/** Build-time apt configuration: never ends up in the image. */
export interface AptAccess {
  /** One-line-style sources with the recording proxy as mirror: `deb [signed-by=…] http://127.0.0.1:PORT/… suite main`. */
  readonly sources: readonly string[]
  /** apt.conf lines (proxy off, Check-Valid-Until, retries). */
  readonly config: readonly string[]
  /** Keyring file on the host that `signed-by` in `sources` names as `/run/img/apt/keyring.gpg`. */
  readonly keyring: string
  /** Seconds since 1970: Date of the newest InRelease. No package file is younger, everything younger was made by the build. */
  readonly date: number
}

export interface WorkResult {
  /** Artifact files by name (`disk.raw`, `root.tar`), absolute host paths under `work.directory`. */
  readonly files: Readonly<Record<string, string>>
  /** `disk.raw` is a qcow2 file on `work.parentDisk`. */
  readonly isOverlay?: true
  /** Digest over what the files mean, not over blocks; see ARCHITECTURE.md, Keys. Only the last of a layer's parts needs it. */
  readonly treeDigest?: string
  /** Version of each program that wrote into the artifact. */
  readonly toolVersions: Readonly<Record<string, string>>
}
