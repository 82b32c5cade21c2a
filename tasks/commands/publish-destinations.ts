// Which targets go where, and what is said of those that cannot. One line for each kind of target.

import { ImgError } from '../errors.ts'
import type { Publisher } from './publisher.ts'

interface Destination {
  /** How `--to` begins; a folder has none. */
  readonly scheme: '' | 'docker:' | 'glance:'
  /** Without `--to`, or with one of another scheme. */
  readonly hint: string
  /** Those of publish that mean something here, beside `to`. */
  readonly options: readonly string[]
  /** Whether several targets fit into one destination. */
  readonly several: boolean
  readonly load: () => Promise<Publisher>
}

const repository: Destination = {
  scheme: '',
  hint: 'add --to DIR, the folder of the repository',
  options: ['gpgKey', 'conf', 'uri', 'keep'],
  several: true,
  load: async () => (await import('./publish-template.ts')).publishTemplate,
}

const registry: Destination = {
  scheme: 'docker:',
  hint: 'add --to docker://HOST/REPOSITORY; `img export` writes the files to a folder',
  options: ['tag', 'plainHttp'],
  several: false,
  load: async () => (await import('./publish-image.ts')).publishImage,
}

const boxes: Destination = {
  scheme: '',
  hint: 'add --to DIR, the folder of the boxes and their catalog',
  options: [],
  several: false,
  load: async () => (await import('./publish-boxes.ts')).publishBoxes,
}

const glance: Destination = {
  scheme: 'glance:',
  hint: 'add --to glance: or --to glance:CLOUD; `img export` writes the files to a folder',
  options: ['keep'],
  several: true,
  load: async () => (await import('./publish-openstack.ts')).publishOpenstack,
}

const folder: Destination = {
  scheme: '',
  hint: 'add --to DIR, the folder its files are fetched from',
  options: ['gpgKey', 'keep'],
  several: false,
  load: async () => (await import('./publish-files.ts')).publishFiles,
}

const table: Readonly<Record<string, Destination>> = {
  template: repository,
  docker: registry,
  'container-disk': registry,
  vagrant: boxes,
  openstack: glance,
  ramdisk: folder,
  qcow2: folder,
  raw: folder,
  vmdk: folder,
  ova: folder,
}

interface Wanted {
  readonly layers: readonly { readonly name: string; readonly kind: string }[]
  readonly options: Readonly<Record<string, unknown>>
}

/** Throws USAGE for what does not go together. */
export function chooseDestination({ layers, options }: Wanted): {
  readonly to: string
  readonly load: Destination['load']
} {
  const [first, ...others] = layers.map((layer) => ({ ...layer, destination: destinationOf(layer) }))
  if (first === undefined) throw new Error('a selector matched nothing')
  const { name, destination } = first
  const other = others.find((one) => one.destination !== destination)
  if (other !== undefined) {
    throw new ImgError('USAGE', `${name} and ${other.name} do not go to the same destination`, {
      hint: 'publish them one after the other',
      layer: other.name,
    })
  }
  const to = checkScheme(name, destination, options['to'])
  checkOptions(name, destination, options)
  if (others.length > 0 && !destination.several) {
    throw new ImgError('USAGE', `${name} and ${others[0]!.name} cannot both go to ${to}`, {
      hint: 'publish each of them to a place of its own',
      found: to,
    })
  }
  return { to, load: destination.load }
}

function destinationOf({ name, kind }: Wanted['layers'][number]): Destination {
  const found = Object.hasOwn(table, kind) ? table[kind] : undefined
  if (found !== undefined) return found
  throw new ImgError('USAGE', `${name} is no target that can be published`, {
    hint: `name one made by ${Object.keys(table).join(', ')} of imgfile/targets`,
    layer: name,
  })
}

function checkScheme(name: string, { scheme, hint }: Destination, to: unknown): string {
  if (typeof to !== 'string') throw new ImgError('USAGE', '--to is missing', { hint })
  const found = /^[a-z][a-z0-9+.-]*:/.exec(to)?.[0] ?? ''
  if (found === scheme) return to
  throw new ImgError('USAGE', `${name} cannot be published to ${to}`, { hint, found: to, layer: name })
}

function checkOptions(name: string, destination: Destination, options: Wanted['options']): void {
  const wrong = [...flags].find(
    ([option]) => options[option] !== undefined && !destination.options.includes(option),
  )
  if (wrong === undefined) return
  const [option, flag] = wrong
  const kinds = Object.keys(table).filter((kind) => table[kind]!.options.includes(option))
  throw new ImgError('USAGE', `${flag} means nothing for ${name}`, {
    hint: `leave it out: it goes with ${kinds.join(', ')}`,
    found: flag,
    layer: name,
  })
}

const flags: ReadonlyMap<string, string> = new Map([
  ['gpgKey', '--gpg-key'],
  ['conf', '--conf'],
  ['uri', '--uri'],
  ['keep', '--keep'],
  ['tag', '--tag'],
  ['plainHttp', '--plain-http'],
])
