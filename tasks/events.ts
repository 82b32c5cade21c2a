// The one stream everything shown comes from. Core code emits, only reporters print.

import type { ImgError } from './errors.ts'
import type { Outcome } from './plan/outcome.ts'

export type ImgEvent =
  | { readonly event: 'plan'; readonly layers: number; readonly builds: number }
  | {
      readonly event: 'layer-start'
      readonly layer: string
      readonly key: string
      readonly expectedMs?: number
    }
  | {
      readonly event: 'step-start'
      readonly layer: string
      readonly step: number
      readonly steps: number
      readonly label: string
    }
  | {
      readonly event: 'output'
      readonly layer: string
      readonly stream: 'stdout' | 'stderr'
      readonly text: string
    }
  /** What is done for a layer besides its steps: `storing`. */
  | { readonly event: 'doing'; readonly layer: string; readonly text: string }
  /** Its files come from a remote. */
  | { readonly event: 'fetch-start'; readonly layer: string; readonly key: string; readonly from: string }
  /** Bytes that came so far. */
  | { readonly event: 'progress'; readonly layer: string; readonly bytes: number }
  | { readonly event: 'layer-end'; readonly layer: string; readonly outcome: Outcome }
  | { readonly event: 'waiting'; readonly layer: string; readonly for: string }
  /** What puppet changed in an image, of so many resources; references like `File[/etc/motd]`. */
  | {
      readonly event: 'puppet'
      readonly layer: string
      readonly changed: readonly string[]
      readonly resources: number
    }
  /** `img watch` waits for a change in these folders. */
  | { readonly event: 'watching'; readonly folders: number; readonly polling: boolean }
  /** A round of `img watch` begins; paths as people write them. */
  | { readonly event: 'changed'; readonly paths: readonly string[] }
  /** A round is over; `ms` since the first change, absent in the first round. */
  | { readonly event: 'round-end'; readonly status: RoundStatus; readonly ms?: number }
  /** What stopped a round, or a command that goes on. */
  | { readonly event: 'error'; readonly error: ImgError }
  | { readonly event: 'note'; readonly layer?: string; readonly text: string }
  | { readonly event: 'warning'; readonly layer?: string; readonly text: string; readonly hint?: string }

/** `idle`: no layer had to be built. `superseded`: ended early by a newer change. */
export type RoundStatus = 'built' | 'idle' | 'failed' | 'superseded'

export type Emit = (event: ImgEvent) => void
