// The one stream everything shown comes from. Core code emits, only reporters print.

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
  | { readonly event: 'layer-end'; readonly layer: string; readonly outcome: Outcome }
  | { readonly event: 'waiting'; readonly layer: string; readonly for: string }
  | { readonly event: 'note'; readonly layer?: string; readonly text: string }
  | { readonly event: 'warning'; readonly layer?: string; readonly text: string; readonly hint?: string }

export type Emit = (event: ImgEvent) => void
