// Pure data. A recipe is nothing but the steps it returns, so a layer's key is the digest of these values:
// whatever decides the content of the image must be in a step, whatever does not must stay out.

import type { DiskLayout } from './disk-layout.ts'
import type { ExportStep } from './export-step.ts'
import type { JsonValue } from './json-value.ts'

export type { JsonValue } from './json-value.ts'

/** `chroot`: in the image's root, nothing booted. `boot`: the image runs as a machine. `export`: disk into files. */
export type Mode = 'chroot' | 'boot' | 'export'

/** Octal file mode as a string, `'0644'`, so that a printed key reads like `ls`. */
export type FileMode = string

export type Step =
  | BootstrapStep
  | RunStep
  | AptStep
  | WriteStep
  | CopyStep
  | MkdirStep
  | LinkStep
  | RemoveStep
  | FirstbootStep
  | PuppetStep
  | ScriptStep
  | SysprepStep
  | TrimStep
  | InstallStep
  | SealStep
  | DiskStep
  | ArchiveStep
  | VirtBuilderStep
  | ExportStep

export type StepOf<Name extends Step['do']> = Extract<Step, { do: Name }>

/** mmdebstrap into an empty root. `apt` names the input that holds the repositories' locked state. */
export interface BootstrapStep {
  readonly do: 'bootstrap'
  readonly apt: string
  readonly suite: string
  /** mmdebstrap's variants: which packages are there before `packages`. */
  readonly variant: 'apt' | 'minbase' | 'important' | 'standard'
  readonly packages: readonly string[]
  readonly recommends: boolean
  /** `debconf-set-selections` lines, in force before any package but the essential ones is configured. */
  readonly debconf: readonly string[]
}

/** One command in the image's root. No shell unless `argv` names one. */
export interface RunStep {
  readonly do: 'run'
  /** Inputs whose values are files below /run/img/secrets while the step runs. */
  readonly secrets?: readonly string[]
  readonly argv: readonly string[]
  readonly stdin?: string
  readonly env?: Readonly<Record<string, string>>
  /** With `apt`, the locked repositories are reachable and configured while the command runs; else no network. */
  readonly apt?: string
  /** What people read: "late_command", "update-grub". Not in the key. */
  readonly label?: string
}

export interface AptStep {
  readonly do: 'apt'
  readonly apt: string
  readonly install: readonly string[]
  readonly remove: readonly string[]
  readonly recommends: boolean
}

/** A file with this content; parents are made 0755 root:root, an existing file is replaced. */
export interface WriteStep {
  readonly do: 'write'
  readonly path: string
  readonly content: string
  readonly mode: FileMode
  readonly owner?: string
  readonly group?: string
}

/** A staged input (a tree or a file) laid into the image; files are root:root unless said otherwise. */
export interface CopyStep {
  readonly do: 'copy'
  readonly input: string
  readonly to: string
  readonly owner?: string
  readonly group?: string
}

export interface MkdirStep {
  readonly do: 'mkdir'
  readonly path: string
  readonly mode: FileMode
  readonly owner?: string
  readonly group?: string
}

export interface LinkStep {
  readonly do: 'link'
  readonly path: string
  readonly target: string
}

/** Removes what the patterns match (`*`, `?`, `[…]` within one path part; absolute); nothing matched is no error. */
export interface RemoveStep {
  readonly do: 'remove'
  readonly paths: readonly string[]
}

/**
 * The image boots as a machine, runs one script as root when it is up, and powers off. Nothing that carried the
 * script into the machine stays on its disk.
 */
export interface FirstbootStep {
  readonly do: 'firstboot'
  readonly secrets?: readonly string[]
  /** A script; without `#!` it is the shell's. */
  readonly script: string
  readonly env?: Readonly<Record<string, string>>
  /** With `apt`, the locked repositories are reachable and configured while the script runs; else no network. */
  readonly apt?: string
  /** The script is an agent's, and this is the server it asks. */
  readonly agent?: PuppetAgent
  /** The input that carries what an ephemeral server serves. */
  readonly input?: string
  /** Those that are success. */
  readonly exitCodes: readonly number[]
  /** What people read: `firstboot/ready.sh`. Not in the key. */
  readonly label: string
  /** Not in the key. */
  readonly machine?: MachineHints
}

export type PuppetAgent = EphemeralAgent | SiteAgent

interface AgentNames {
  readonly certname: string
  /** As the server calls it. */
  readonly environment: string
}

/** Served by a puppetserver that lives as long as the step; the agent must apply this catalog. */
export interface EphemeralAgent extends AgentNames {
  readonly server: 'ephemeral'
  readonly catalog: JsonValue
  /** As in a puppet step. */
  readonly sources: Readonly<Record<string, string>>
  readonly plugins: string
}

export interface SiteAgent extends AgentNames {
  /** `https://puppet.example.org:8140`. */
  readonly server: string
  /** The server's catalog must carry this. */
  readonly codeId: string
  /** PEM. */
  readonly ca: string
  /** Name of the secret that is the challenge password of the certificate request. */
  readonly token?: string
}

/** What a machine is run with; decides whether and how fast it gets done, not what becomes of the disk. */
export interface MachineHints {
  /** Seconds the script may take. */
  readonly limit?: number
  /** MiB. */
  readonly memory?: number
  readonly firmware?: 'bios' | 'uefi'
}

/** Applies a compiled, normalised catalog. Success is the run report's status. */
export interface PuppetStep {
  readonly do: 'puppet'
  readonly secrets?: readonly string[]
  /** The catalog with every `puppet:///` source rewritten to `/run/img/sources/<digest>`. */
  readonly catalog: JsonValue
  /** Digest of each staged source and of the modules' plugin code (`lib/`), by the name the catalog uses. */
  readonly sources: Readonly<Record<string, string>>
  readonly plugins: string
  /** The input that carries the staged bytes of `sources` and `plugins`. */
  readonly input: string
  readonly apt?: string
  /** Install and keep the agent in the image instead of lending it from the tool tree. */
  readonly keepAgent: boolean
}

/** virt-sysprep with exactly these operations, sorted; `customize` is none of them. */
export interface SysprepStep {
  readonly do: 'sysprep'
  readonly operations: readonly string[]
}

/** Free space becomes holes, and so zeros: what was deleted is neither stored nor shipped. */
export interface TrimStep {
  readonly do: 'trim'
}

/** The user's zx function; its bundled source is the input's digest. */
export interface ScriptStep {
  readonly do: 'script'
  readonly secrets?: readonly string[]
  readonly input: string
  readonly apt?: string
}

/**
 * The distribution's own installer, run in a machine with an empty disk until it powers off. It must report that it
 * got to its end; a power-off alone is a failure.
 */
export interface InstallStep {
  readonly do: 'install'
  /** The input that is the installer. */
  readonly input: string
  readonly answers: { readonly kind: 'preseed' | 'kickstart' | 'autoinstall'; readonly text: string }
  /** Arguments of the installer's kernel, without those that say where things are. */
  readonly arguments: readonly string[]
  /** Of the disk, in bytes. */
  readonly size: number
  /** Decides which boot loader is installed. */
  readonly firmware: 'bios' | 'uefi'
  /** Not in the key. */
  readonly machine?: InstallMachine
}

export interface InstallMachine {
  /** MiB. */
  readonly memory: number
  readonly cpus: number
  /** libvirt's URI; absent: a libvirt of its own, which ends with the build. */
  readonly connect?: 'qemu:///system' | 'qemu:///session'
  /** Base URL of packages for the installer, instead of the mirror this machine uses. */
  readonly mirror?: string
  /** With a graphics card. */
  readonly display: boolean
  /** Seconds; absent: what the accelerator makes likely. */
  readonly limit?: number
  readonly silence?: number
}

/**
 * Makes two identical builds equal: what differs between them is removed or normalised, and modification times
 * later than the newest repository state become `epoch` (seconds since 1970).
 */
export interface SealStep {
  readonly do: 'seal'
  readonly epoch: number
}

/** The root tree becomes a partitioned, bootable disk. Only at the end of a layer without parent. */
export interface DiskStep {
  readonly do: 'disk'
  readonly layout: DiskLayout
}

/** The root tree becomes `root.tar`. Only at the end of a tool tree. */
export interface ArchiveStep {
  readonly do: 'archive'
}

/** A disk out of a template, by virt-builder: of the input, or of the template the layer stands on. */
export interface VirtBuilderStep {
  readonly do: 'virt-builder'
  readonly input?: string
  readonly template: string
  /** As the kernel says it. */
  readonly arch: string
  /** Bytes. */
  readonly size?: number
  /** Scripts for the first boot wherever the image goes. */
  readonly firstboot: readonly { readonly label: string; readonly content: string }[]
}
