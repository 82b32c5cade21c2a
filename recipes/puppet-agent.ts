// A role applied by a puppet server: the image boots and its own agent runs once, with the machine's real facts.

import {
  checkOptions,
  isLayerOption,
  isText,
  isEnvironment,
  matching,
  type OptionCheck,
} from '../tasks/plan/options.ts'
import type { InputDeclaration, Layer, Recipe } from '../tasks/plan/recipe.ts'
import type { Secret } from '../tasks/plan/secret.ts'
import type { FirstbootStep } from '../tasks/plan/step.ts'
import { type Archives, archiveRules, aptInput } from './archives.ts'
import { machineHints, type MachineOptions, machineRules } from './machine-options.ts'
import { releaseFacts } from './puppet/release-facts.ts'
import { serverTools } from './puppet/server-tools.ts'
import { isSecretOption, isSecrets, type Secrets, secretField, secretInputs } from './secrets.ts'
import { defaultTools } from './tools.ts'

export type PuppetAgentOptions = (EphemeralServer | SiteServer) & AgentOptions

/** A puppetserver for this one run, which serves a control repository beside the imgfile. */
export interface EphemeralServer {
  readonly server: 'ephemeral'
  /** Folder of the control repository, relative to the imgfile. */
  readonly environment: string
}

export interface SiteServer {
  /** `https://puppet.example.org:8140`. */
  readonly server: string
  /** Name of the environment there. */
  readonly environment: string
  /** The code the server must compile from, as its catalogs say. It stands in the key for what the server serves. */
  readonly codeId: string
  /** PEM file of the certificate authority the agent trusts, relative to the imgfile. */
  readonly ca: string
  /** Challenge password of the certificate request, for a server that signs by policy. */
  readonly token?: Secret
}

export interface AgentOptions extends Partial<Archives>, Secrets, MachineOptions {
  /** The manifests' fact `role`. */
  readonly role: string
  /** Default: the role in the reserved domain `invalid`. */
  readonly certname?: string
  /** More external facts, beside `role`. */
  readonly facts?: Readonly<Record<string, string>>
  /** Default `firstboot/puppet-agent.sh`. */
  readonly script?: string
  readonly tools?: Layer
}

/**
 * Boots the image, lets its puppet agent apply a role once, and powers off. The image needs puppet-agent.
 *
 * @example layer('role:web', [apt({ suite: 'trixie', install: ['puppet-agent'] }), puppetAgent({ server: 'ephemeral', environment: 'puppet', role: 'web' })], { from: base })
 */
export function puppetAgent(options: PuppetAgentOptions): Recipe {
  const isSite = isObject(options) && options.server !== 'ephemeral'
  checkOptions('puppetAgent', options, isSite ? siteRules : rules)
  return isSite
    ? siteRecipe(options as SiteServer & AgentOptions)
    : ephemeralRecipe(options as EphemeralServer & AgentOptions)
}

function ephemeralRecipe(options: EphemeralServer & AgentOptions): Recipe {
  const { environment, role, suite = 'trixie', facts = {}, tools = serverTools } = options
  const certname = options.certname ?? `${role}.invalid`
  return {
    ...commonParts(options),
    inputs: {
      ...commonInputs(options),
      catalog: {
        kind: 'catalog',
        environment,
        node: certname,
        role,
        facts: { ...releaseFacts(suite), ...facts },
        serve: true,
      },
    },
    tools,
    steps: (known) => {
      const { catalog, sources, plugins } = known.catalog('catalog')
      return [
        {
          ...stepOf(options, known.text('script').content),
          input: 'catalog',
          agent: { server: 'ephemeral', certname, environment: 'production', catalog, sources, plugins },
        },
      ]
    },
  }
}

function siteRecipe(options: SiteServer & AgentOptions): Recipe {
  const { server, environment, role, codeId, token, tools = defaultTools } = options
  const certname = options.certname ?? `${role}.invalid`
  return {
    ...commonParts(options),
    inputs: {
      ...commonInputs(options),
      ca: { kind: 'text', path: options.ca },
      ...secretInputs(token === undefined ? [] : [token]),
    },
    tools,
    steps: (known) => {
      const step = stepOf(options, known.text('script').content)
      const ca = known.text('ca').content
      const given = secretField(token === undefined ? [] : [token]).secrets ?? []
      return [
        {
          ...step,
          ...(given.length === 0 ? {} : { secrets: [...(step.secrets ?? []), ...given] }),
          agent: {
            server,
            certname,
            environment,
            codeId,
            ca,
            ...(token === undefined ? {} : { token: token.name }),
          },
        },
      ]
    },
  }
}

const commonParts = (options: AgentOptions): Pick<Recipe, 'name' | 'mode' | 'parent' | 'weight'> => ({
  name: 'puppetAgent',
  mode: 'boot',
  parent: 'required',
  // A puppetserver runs beside the machine.
  weight: { memory: machineHints(options).memory + 1536, machines: 1 },
})

const commonInputs = (options: AgentOptions): Readonly<Record<string, InputDeclaration>> => ({
  script: { kind: 'text', path: options.script ?? defaultScript },
  apt: aptInput({ ...options, suite: options.suite ?? 'trixie' }),
  ...secretInputs(options.secrets),
})

function stepOf(options: AgentOptions, script: string): FirstbootStep {
  const { role, facts = {} } = options
  const values = Object.entries({ ...facts, role }).map(([name, value]) => [`FACTER_${name}`, value] as const)
  return {
    do: 'firstboot',
    script,
    ...secretField(options.secrets),
    env: Object.fromEntries(values),
    apt: 'apt',
    exitCodes: [0, 2],
    label: options.script ?? defaultScript,
    machine: machineHints(options),
  }
}

const defaultScript = 'firstboot/puppet-agent.sh'

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

const isServer: OptionCheck = (value) => {
  if (value === 'ephemeral') return undefined
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined
  const isPlain =
    url?.protocol === 'https:' && url.pathname === '/' && url.search === '' && url.username === ''
  return isPlain ? undefined : "neither 'ephemeral' nor an address such as https://puppet.example.org:8140"
}

const isName = (what: string): OptionCheck =>
  matching(/^[a-z0-9][a-z0-9._-]*$/, `not ${what}: lower-case letters, digits, ., - and _`)

const isFolder: OptionCheck = (value) =>
  typeof value === 'string' && value !== '' && !value.startsWith('/') && !value.split('/').includes('..')
    ? undefined
    : 'not a folder below the imgfile'

const rules = {
  required: { server: isServer, environment: isFolder, role: isName('a role') },
  optional: {
    ...archiveRules.required,
    ...archiveRules.optional,
    certname: isName('a certname'),
    facts: isEnvironment,
    secrets: isSecrets,
    script: isText,
    ...machineRules,
    tools: isLayerOption,
  },
}

const siteRules = {
  required: { ...rules.required, environment: isName('an environment'), codeId: isText, ca: isText },
  optional: { ...rules.optional, token: isSecretOption },
}
