// A layer from a template of a virt-builder repository, ours or a stranger's.

import {
  checkOptions,
  invalidOption,
  isLayerOption,
  isText,
  listOf,
  matching,
} from '../tasks/plan/options.ts'
import type { InputDeclaration, Layer, Recipe } from '../tasks/plan/recipe.ts'
import { diskBytes, isDiskSize } from './disk-size.ts'
import { defaultTools } from './tools.ts'

export interface VirtBuilderOptions {
  /** `index.asc` of the repository: a URL, or a path relative to the imgfile. Absent: the parent is the template. */
  readonly source?: string
  /** Name or alias in the repository. */
  readonly template?: string
  /** Who signs the repository: a key of the user's keyring, or of a file beside the imgfile. One of them, always. */
  readonly fingerprint?: string
  readonly keyFile?: string
  /** As the kernel says it; `x86_64`. */
  readonly arch?: string
  /** Grows the disk, and the partition the template says: `'8G'`. */
  readonly size?: string
  /** Scripts the image runs when it is first booted wherever it is deployed, relative to the imgfile. */
  readonly firstboot?: readonly string[]
  readonly tools?: Layer
}

/**
 * Begins a layer with a template: of a signed repository, or the template target it stands on. A new revision in the
 * repository rebuilds the layer. The password of root is disabled.
 *
 * @example layer('base:debian', virtBuilder({ source: 'https://images.example.org/index.asc', template: 'debian-13', keyFile: 'images.gpg' }))
 * @example layer('base:trixie-di', [virtBuilder(), puppetAgent({ … })], { from: template(install) })
 */
export function virtBuilder(options: VirtBuilderOptions = {}): Recipe {
  checkOptions('virtBuilder', options, {
    required: {},
    optional: {
      source: isText,
      template: matching(/^[-A-Za-z0-9._]+$/, 'not a name of a template'),
      fingerprint: matching(/^(?:[0-9A-Fa-f]{4}[ :]*){10}$/, 'not a fingerprint of forty hex digits'),
      keyFile: isText,
      arch: matching(/^[a-z0-9_]+$/, "not an architecture's name, such as x86_64"),
      size: isDiskSize,
      firstboot: listOf(isText),
      tools: isLayerOption,
    },
  })
  const { arch = 'x86_64', size, firstboot = [], tools = defaultTools } = options
  const template = templateInput(options, arch)
  const scripts = firstboot.map((path, place): [string, InputDeclaration] => [
    `firstboot${place}`,
    { kind: 'text', path },
  ])
  return {
    name: 'virtBuilder',
    mode: 'chroot',
    parent: template === undefined ? 'template' : 'none',
    inputs: { ...(template === undefined ? {} : { template }), ...Object.fromEntries(scripts) },
    tools,
    steps: (facts) => [
      {
        do: 'virt-builder',
        ...(template === undefined ? {} : { input: 'template' }),
        template: template?.template ?? 'parent',
        arch,
        ...(size === undefined ? {} : { size: diskBytes(size) }),
        firstboot: scripts.map(([name], place) => ({
          label: firstboot[place] ?? '',
          content: facts.text(name).content,
        })),
      },
    ],
    // The appliance, and virt-builder's unpacking.
    weight: { memory: 2560, machines: 1 },
  }
}

function templateInput(
  { source, template, fingerprint, keyFile }: VirtBuilderOptions,
  arch: string,
): Extract<InputDeclaration, { kind: 'template' }> | undefined {
  const given = [template && 'template', fingerprint && 'fingerprint', keyFile && 'keyFile'].find(Boolean)
  if (source === undefined) {
    if (given === undefined) return undefined
    throw invalidOption(`virtBuilder: ${given} goes with a source`, 'add source: the address of index.asc')
  }
  if (template === undefined)
    throw invalidOption('virtBuilder: the option "template" is missing', 'name a template of the source')
  if (fingerprint !== undefined && keyFile === undefined)
    return { kind: 'template', source, template, arch, trust: { fingerprint } }
  if (keyFile !== undefined && fingerprint === undefined)
    return { kind: 'template', source, template, arch, trust: { keyFile } }
  throw invalidOption(
    `virtBuilder: ${fingerprint === undefined ? 'neither' : 'both'} fingerprint ${fingerprint === undefined ? 'nor' : 'and'} keyFile given`,
    'say by one of them who signs the source: nothing unsigned is ever built from',
  )
}
