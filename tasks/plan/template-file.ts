// Pure. What a template says of itself: `template.json` of a template target, read again when it is published.

/** Sizes in bytes. */
export interface TemplateFile {
  readonly format: 1
  readonly title: string
  readonly osinfo?: string
  /** As the kernel says it: `x86_64`. */
  readonly arch: string
  /** The compressed disk, beside this file, and its digest. */
  readonly file: string
  readonly sha512: string
  readonly diskFormat: 'raw'
  readonly size: number
  readonly compressedSize: number
  readonly expand: string
  readonly lvexpand?: string
  readonly notes: Readonly<Record<string, string>>
  readonly aliases: readonly string[]
  readonly hidden: boolean
}
