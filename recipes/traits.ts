// What targets ask of an image. Recipes that begin a disk say it; layers on top keep it.

import { ImgError } from '../tasks/errors.ts'
import type { Layer } from '../tasks/plan/recipe.ts'

/** A Debian whose packages come from known archives: more can be installed. */
export type Debian = {
  readonly debian: {
    readonly suite: string
    readonly components: readonly string[]
    readonly updates: boolean
    readonly security: boolean
  }
}

/** The root filesystem becomes as large as the disk. */
export type Growing = { readonly grows: true }

export type Firmware = 'bios' | 'uefi' | 'both'

export type BootsBios = { readonly bios: true }
export type BootsUefi = { readonly uefi: true }

export type Boots<Kind extends Firmware> = Kind extends 'both'
  ? BootsBios & BootsUefi
  : Kind extends 'bios'
    ? BootsBios
    : BootsUefi

/** For imgfiles the compiler has not seen. */
export function requireTraits(target: string, from: Layer, wanted: Readonly<Record<string, string>>): void {
  const missing = Object.keys(wanted).find((trait) => from.traits[trait] === undefined)
  if (missing === undefined) return
  throw new ImgError('OPTION_INVALID', `${target}: ${from.name} ${wanted[missing]}`, {
    hint: `make it from a layer that stands on one that does`,
    layer: from.name,
  })
}
