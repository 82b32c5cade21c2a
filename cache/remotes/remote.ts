// The contract of a remote: immutable things under names, elsewhere. Nothing it gives is trusted: who reads checks
// digests and signatures. test/contract/remote.ts is the same contract as a suite.

export interface Remote {
  /** As people know it; without credentials. */
  readonly name: string
  /** What is under a name, or undefined when nothing is. Throws RemoteError. */
  read(name: string, options: ReadOptions): Promise<Buffer | undefined>
  /** With `size`: something of so many bytes, as far as the remote says how many it has. Throws RemoteError. */
  has(name: string, signal: AbortSignal, size?: number): Promise<boolean>
  /** Puts something under a name, whole or not at all; what is there already stays as it is. Throws RemoteError. */
  create(name: string, data: Buffer, options: CreateOptions): Promise<'created' | 'there'>
}

export interface ReadOptions {
  readonly signal: AbortSignal
  /** Bytes; more is an error, so that a hostile remote cannot fill the memory. */
  readonly limit: number
  /** `start` lies in the thing; `end` is exclusive, and what reaches beyond the end of the thing is cut. */
  readonly range?: { readonly start: number; readonly end: number }
}

export interface CreateOptions {
  readonly signal: AbortSignal
  /** Names this one needs; a registry keeps what something refers to. */
  readonly refers?: readonly string[]
  /** What is there is not what the name says, and is written over. */
  readonly replaces?: boolean
}

/**
 * `unreachable`: no connection. `slow`: a time limit. `busy`: asked to come back later. `denied`: credentials. `answer`:
 * it answered something that makes no sense. `closed`: it failed so often that it is not asked any more for a while.
 */
export type RemoteFault = 'unreachable' | 'slow' | 'busy' | 'denied' | 'answer' | 'closed'

export class RemoteError extends Error {
  override readonly name = 'RemoteError'
  readonly fault: RemoteFault
  /** What it asked for, in ms. */
  readonly retryAfterMs: number | undefined

  constructor(fault: RemoteFault, message: string, more: { retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause })
    this.fault = fault
    this.retryAfterMs = more.retryAfterMs
  }
}

/** A thing that is its own name: sha256, hex. */
export const blobName = (digest: string): string => `blobs/${digest.slice(0, 2)}/${digest}`

/** Names are made of our own digests; anything else would be a way into other folders. */
export function checkName(name: string): void {
  if (!/^(?:blobs|records)(?:\/[a-z0-9][a-z0-9._-]*)+$/.test(name))
    throw new Error(`${name} is no name in a remote`)
}
