// What the engine knows of layers and recipes, and what a recipe may know of the outside.

import type { Secret } from './secret.ts'
import type { JsonValue, Mode, Step } from './step.ts'

/** What can be said of an image and relied on by what is declared on it: `{ suite: 'trixie', uefi: true }`. */
export type Traits = Readonly<Record<string, JsonValue>>

/**
 * One cached task `kind:name`: recipes applied, in order, on a parent layer. Made by `layer()`. `Has` is what is known
 * of its image, so that the compiler refuses what that image cannot be.
 */
export interface Layer<Has extends Traits = Traits> {
  /** Of its parent's image and its own recipes. Not in the key: what follows from them is in steps. */
  readonly traits: Has
  readonly name: LayerName
  readonly recipes: readonly Recipe[]
  readonly from: Layer | undefined
  /** See LayerOptions; not in the key. */
  readonly manual?: boolean
  /** Where the imgfile declared it, for messages: `imgfile.ts:12:3`. */
  readonly declaredAt: string | undefined
}

export type LayerName = `${string}:${string}`

export interface Imgfile {
  readonly layers: readonly Layer[]
  /** URLs of the caches shared with others, in the order in which they are asked. */
  readonly remotes?: readonly string[]
}

/**
 * A pure function from options and resolved inputs to steps. It says how to key itself (its steps and inputs)
 * and, by the same values, how to run; it never does anything.
 */
export interface Recipe<Gives extends Traits = Traits> {
  /** What the image has from here on. */
  readonly gives?: Gives
  /** `bootstrap`, `puppet`, `apt`… */
  readonly name: string
  readonly mode: Mode
  /** Everything from outside that `steps` reads or a step refers to, by the name they use. */
  readonly inputs: Readonly<Record<string, InputDeclaration>>
  /** The tool tree whose programs write into the artifact. */
  readonly tools?: Layer
  /** Every layer the parent stands on is a parent, too: the backend is given the disk of each. */
  readonly chain?: boolean
  /** Whether the recipe begins a chain (`bootstrap`), needs a parent's disk, or a template made of one. */
  readonly parent: 'none' | 'required' | 'template'
  steps(facts: Facts): readonly Step[]
  /** What is worth telling about inputs that stop nothing; shown once per build of the layer. Never throws. */
  warnings?(facts: Facts): readonly RecipeWarning[]
  /**
   * What `img test` tries of a target: the disk it was made from, unless its files are what a machine without one boots
   * from, or a container's image. Never in the key.
   */
  readonly tried?: 'disk' | 'memory' | 'container'
  /** Hints for the scheduler, `memory` in MiB; never in the key. */
  readonly weight?: { readonly memory?: number; readonly machines?: number }
}

export interface RecipeWarning {
  readonly text: string
  readonly hint?: string
  readonly path?: string
  readonly line?: number
}

/** Paths are relative to the imgfile's folder. */
export type InputDeclaration =
  /** One text file `steps` reads; it enters the key only through the steps made of it. */
  | { readonly kind: 'text'; readonly path: string }
  /** Files staged into the build: contents, modes, symlink targets and empty directories are in the key. */
  | { readonly kind: 'files'; readonly base: string; readonly patterns: readonly string[] }
  /** A value nobody may see; its name is in the key, by the steps that use it. */
  | { readonly kind: 'secret'; readonly secret: Secret }
  /** Locked state of the apt repositories; the digests of their InRelease files are in the key. */
  | AptInput
  /** A compiled puppet catalog; it enters the key through the puppet step. */
  | CatalogInput
  /** A function of the imgfile; the bundled source of its module closure is in the key. */
  | { readonly kind: 'script'; readonly run: ScriptFunction }
  /** An installer; the digests of what is booted are in the key, where it lies is not. */
  | MediumInput
  /** The checksum in the signed index is in the key. */
  | TemplateInput
  /** One environment value; in the key. */
  | { readonly kind: 'env'; readonly name: string; readonly default?: string }

/** A template of a virt-builder repository. */
export interface TemplateInput {
  readonly kind: 'template'
  /** `index.asc`: a URL, or a path relative to the imgfile. */
  readonly source: string
  readonly template: string
  /** As the kernel says it. */
  readonly arch: string
  /** Whose signature counts: a key in the user's keyring, or one in a file, relative to the imgfile. */
  readonly trust: { readonly fingerprint: string } | { readonly keyFile: string }
}

export interface MediumInput {
  readonly kind: 'medium'
  readonly location: MediumLocation
}

/**
 * `suite`: the network installer of Debian's archive. Text: URL or path of an ISO, of a tree, or of the folder with
 * kernel and initrd. Else kernel and initrd, each by URL or path. Paths are relative to the imgfile.
 */
export type MediumLocation =
  | string
  | { readonly suite: string }
  | { readonly kernel: string; readonly initrd: string }

export interface AptInput {
  readonly kind: 'apt'
  readonly suite: string
  readonly components: readonly string[]
  /** Debian has `-updates` and `-security` suites beside the release. */
  readonly updates: boolean
  readonly security: boolean
}

export interface CatalogInput {
  readonly kind: 'catalog'
  /** The control repository: manifests/site.pp, site modules, hiera.yaml, data/. */
  readonly environment: string
  /** Certname the catalog is compiled for. */
  readonly node: string
  readonly role: string
  /** Facts the manifests may use; an undeclared one is an error that names it. */
  readonly facts: Readonly<Record<string, JsonValue>>
  /** Its control repository is staged, too, for a server. */
  readonly serve?: boolean
}

/** zx's `$`, bound to the image's root. */
export type ScriptFunction = ($: never, image: { readonly root: string }) => Promise<void> | void

/** Resolved inputs as a recipe sees them. Asking for a name the recipe did not declare is a bug and throws. */
export interface Facts {
  /** Content and path (for error messages) of a `text` input. */
  text(name: string): { readonly path: string; readonly content: string }
  catalog(name: string): CatalogFacts
  env(name: string): string
}

export interface CatalogFacts {
  /** Normalised: without version, uuids, file and line; order kept; sources rewritten. */
  readonly catalog: JsonValue
  /** Content digest of each staged source, by the path the catalog uses for it. */
  readonly sources: Readonly<Record<string, string>>
  /** Digest of the modules' `lib/`. */
  readonly plugins: string
}
