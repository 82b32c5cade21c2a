// Pure data. What turns a finished disk into the files of one deployment environment.

import type { JsonValue } from './json-value.ts'

/** Steps of export mode: they make the artifact's files out of a finished disk. */
export type ExportStep =
  | ConvertStep
  | ExtractStep
  | EmitStep
  | ChecksumsStep
  | PackStep
  | TemplateStep
  | OciStep
  | SquashfsStep
  | InitramfsStep
  | UkiStep

/** The disk in another format. `to`, here and in the other steps, is a file's name and its path in an exported folder. */
export interface ConvertStep {
  readonly do: 'convert'
  readonly to: string
  readonly format: 'raw' | 'qcow2' | 'vmdk'
  /** qemu-img's `-o`: `{ subformat: 'streamOptimized' }`. */
  readonly options?: Readonly<Record<string, string>>
  readonly compress?: boolean
}

/** The newest file of the image's tree that matches (`/boot/vmlinuz-*`); none is an error. */
export interface ExtractStep {
  readonly do: 'extract'
  readonly from: string
  readonly to: string
}

/** A text file. Placeholders stand for what is known once other files are there: see plan/placeholders.ts. */
export interface EmitStep {
  readonly do: 'emit'
  readonly to: string
  readonly text: string
}

/** What sha256sum or sha512sum print of every file made so far. */
export interface ChecksumsStep {
  readonly do: 'checksums'
  readonly to: string
  readonly algorithm: 'sha256' | 'sha512'
}

/** A tar archive of files made before, in this order, without owners and dates; they are no files of the artifact any more. */
export interface PackStep {
  readonly do: 'pack'
  readonly to: string
  readonly files: readonly string[]
  readonly compress: 'none' | 'gzip'
}

/** The disk as a template of virt-builder, compressed, and what is said of it: see plan/template-file.ts. */
export interface TemplateStep {
  readonly do: 'template'
  readonly to: string
  readonly facts: string
  readonly title: string
  /** By language, the default under `''`. */
  readonly notes: Readonly<Record<string, string>>
  readonly aliases: readonly string[]
  readonly hidden: boolean
  /** Instead of what is found on the disk. */
  readonly osinfo?: string
  readonly expand?: string
  readonly lvexpand?: string
}

/** An OCI image: the files of its layout, and `archive`, the same as a tar file `docker load` reads. */
export interface OciStep {
  readonly do: 'oci'
  /** File name of the archive. */
  readonly to: string
  readonly layers:
    | {
        /** One layer for each img layer of the chain, so that images of one base share it. */
        readonly of: 'chain'
        /** Paths without leading slash left out with all below; one that ends in a slash only what is below. */
        readonly exclude: readonly string[]
      }
    /** A file made before, which is no file of the artifact any more, as the only one of the image. */
    | { readonly of: 'file'; readonly file: string; readonly path: string; readonly uid: number }
  readonly compress: 'gzip' | 'zstd'
  /** `name:tag`. */
  readonly reference: string
  /** `config` of the image configuration: Cmd, Env, Labels… */
  readonly config: JsonValue
}

/** The image's files as squashfs images to be mounted over each other; {{images root.squashfs}} names them, lowest first. */
export interface SquashfsStep {
  readonly do: 'squashfs'
  /** `root.squashfs`; with more than one each has a part of its digest in its name: `root-0123456789abcdef.squashfs`. */
  readonly to: string
  /** `chain`: one for each img layer, with what that changed, so that images of one base share it. */
  readonly layers: 'chain' | 'one'
  /** As in the step `oci`. */
  readonly exclude: readonly string[]
}

/** An initramfs made before gets images that a step made, and so a system in one file; they are no files any more. */
export interface InitramfsStep {
  readonly do: 'initramfs'
  /** The initramfs. */
  readonly to: string
  readonly images: string
  /** Where it has them. */
  readonly folder: string
}

/** A unified kernel image: an EFI program of files made before, which are no files of the artifact any more. */
export interface UkiStep {
  readonly do: 'uki'
  readonly to: string
  readonly kernel: string
  readonly initrd: string
  readonly cmdline: string
  readonly osRelease: string
}
