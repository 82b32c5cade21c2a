// What became of a layer, as a value: scheduling, --keep-going and reporters all need it.

import type { ImgError } from '../errors.ts'

export type Outcome =
  | {
      readonly status: 'built' | 'fetched' | 'reused' | 'unchanged'
      readonly key: string
      readonly ms: number
    }
  | { readonly status: 'failed'; readonly error: ImgError; readonly log?: string; readonly ms: number }
  | { readonly status: 'cancelled'; readonly because: string }
