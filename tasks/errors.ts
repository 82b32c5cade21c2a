// Everything that stops a command is one class with a closed set of codes; cli.ts maps code to exit status.

/** 1 layer failed · 2 usage or imgfile · 3 environment · 4 cache or remote · 130 interrupted. */
export const exitCodes = {
  LAYER_FAILED: 1,
  STEP_FAILED: 1,
  PUPPET_FAILED: 1,
  INPUT_CHANGED: 1,
  CHECK_DIFFERS: 1,
  SECRET_LEAKED: 1,
  USAGE: 2,
  IMGFILE_NOT_FOUND: 2,
  IMGFILE_INVALID: 2,
  IMGFILE_THREW: 2,
  IMGFILE_HUNG: 2,
  LAYER_UNKNOWN: 2,
  LAYER_DUPLICATE: 2,
  LAYER_CYCLE: 2,
  OPTION_INVALID: 2,
  INPUT_MISSING: 2,
  INPUT_INVALID: 2,
  PRESEED_INVALID: 2,
  PUPPET_COMPILE: 2,
  PUPPET_FACT_UNDECLARED: 2,
  PUPPET_SENSITIVE: 2,
  TOOL_MISSING: 3,
  BACKEND_UNAVAILABLE: 3,
  MIRROR_UNREACHABLE: 3,
  LOCK_FROZEN: 3,
  CLOCK_WRONG: 3,
  DISK_FULL: 3,
  PERMISSION: 3,
  SIGNING_FAILED: 3,
  CACHE_UNWRITABLE: 4,
  CACHE_BUSY: 4,
  CACHE_NEWER: 4,
  CACHE_DAMAGED: 4,
  RECORD_MISSING: 4,
  REMOTE_FAILED: 4,
  SIGNATURE_INVALID: 4,
  REPOSITORY_INVALID: 4,
  INTERRUPTED: 130,
} as const

export type ErrorCode = keyof typeof exitCodes

export interface ErrorFields {
  /** One sentence: the next step. */
  readonly hint?: string
  readonly layer?: string
  /** File the error is about, relative to the imgfile's folder where possible; `line` is 1-based. */
  readonly path?: string
  readonly line?: number
  readonly wanted?: string
  readonly found?: string
  readonly validOptions?: readonly string[]
  /** Last lines of the failing program, raw. */
  readonly output?: string
  readonly cause?: unknown
}

export class ImgError extends Error {
  override readonly name = 'ImgError'
  readonly code: ErrorCode
  readonly fields: ErrorFields

  constructor(code: ErrorCode, message: string, fields: ErrorFields = {}) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause })
    this.code = code
    this.fields = fields
  }
}

export const exitCodeOf = (error: ImgError): number => exitCodes[error.code]
