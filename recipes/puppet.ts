// A role of a puppet control repository, applied without a server. The layer's key is the compiled catalog, so what
// does not change the catalog (a comment, another role's profile, an unused hiera key) does not rebuild the image.

import {
  checkOptions,
  isFlag,
  isLayerOption,
  matching,
  type OptionCheck,
  type OptionRules,
} from '../tasks/plan/options.ts'
import type { Layer, Recipe } from '../tasks/plan/recipe.ts'
import type { JsonValue, Step } from '../tasks/plan/step.ts'
import { type Archives, archiveRules, aptInput } from './archives.ts'
import { releaseFacts } from './puppet/release-facts.ts'
import { isSecrets, type Secrets, secretField, secretInputs } from './secrets.ts'
import { defaultTools } from './tools.ts'

export interface PuppetOptions extends Partial<Archives>, Secrets {
  /** Folder of the control repository (manifests/site.pp, site modules, hiera.yaml, data/), relative to the imgfile. */
  readonly environment: string
  /** The manifests' fact `role`. */
  readonly role: string
  /** Release of the image, for the facts under `os`; default `trixie`. */
  readonly suite?: string
  /** Certname, so `$trusted['certname']`; default the role in the reserved domain `invalid`. */
  readonly node?: string
  /** Facts the manifests may use beside `role` and `os`. A fact nobody declared is an error that names it. */
  readonly facts?: Readonly<Record<string, JsonValue>>
  /** Leaves the agent in the image; else it is lent for the run and nothing of it stays. */
  readonly keepAgent?: boolean
  readonly tools?: Layer
}

/**
 * Applies a role's catalog to the image.
 *
 * @example layer('role:ceph-node', puppet({ environment: 'puppet', role: 'ceph-node' }), { from: base })
 */
export function puppet(options: PuppetOptions): Recipe {
  checkOptions('puppet', options, rules)
  const { environment, role, suite = 'trixie', keepAgent = false, tools = defaultTools } = options
  const agent: readonly Step[] = keepAgent
    ? [{ do: 'apt', apt: 'apt', install: ['puppet-agent'], remove: [], recommends: false }]
    : []
  return {
    name: 'puppet',
    mode: 'chroot',
    parent: 'required',
    inputs: {
      ...secretInputs(options.secrets),
      apt: aptInput({ ...options, suite }),
      catalog: {
        kind: 'catalog',
        environment,
        node: options.node ?? `${role}.invalid`,
        role,
        facts: mergeFacts(releaseFacts(suite), options.facts ?? {}),
      },
    },
    tools,
    steps: (facts) => {
      const { catalog, sources, plugins } = facts.catalog('catalog')
      return [
        ...agent,
        {
          do: 'puppet',
          catalog,
          sources,
          plugins,
          input: 'catalog',
          apt: 'apt',
          keepAgent,
          ...secretField(options.secrets),
        },
      ]
    },
    weight: { memory: 512 },
  }
}

type FactValues = Readonly<Record<string, JsonValue>>

/** So that one more fact under `os` does not take the others away. */
function mergeFacts(known: FactValues, given: FactValues): FactValues {
  const merged: Record<string, JsonValue> = { ...known }
  for (const [name, value] of Object.entries(given)) {
    const old = merged[name]
    merged[name] = old !== undefined && isFields(old) && isFields(value) ? mergeFacts(old, value) : value
  }
  return merged
}

const isFields = (value: JsonValue): value is FactValues =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** In a manifest the role is part of a class name. */
const isRole = matching(/^[a-z][a-z0-9_-]*$/, 'not a role: lower-case letters, digits, - and _')

/** What puppet itself accepts, and no path. */
const isNode = matching(/^[a-z0-9][a-z0-9._-]*$/, 'not a certname: lower-case letters, digits, ., - and _')

const isFolder: OptionCheck = (value) => {
  if (typeof value !== 'string' || value === '') return 'not a folder'
  const parts = value.split('/')
  return value.startsWith('/') || parts.includes('..') ? 'not a folder below the imgfile' : undefined
}

const isFacts: OptionCheck = (value) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not an object'
  const wrong = Object.keys(value).find((name) => !/^[a-z_][A-Za-z0-9_]*$/.test(name) || name === 'role')
  if (wrong === 'role') return 'which has role, an option of its own'
  return wrong === undefined ? undefined : `where ${JSON.stringify(wrong)} is not the name of a fact`
}

const rules: OptionRules = {
  required: { environment: isFolder, role: isRole },
  optional: {
    ...archiveRules.required,
    ...archiveRules.optional,
    node: isNode,
    facts: isFacts,
    keepAgent: isFlag,
    secrets: isSecrets,
    tools: isLayerOption,
  },
}
