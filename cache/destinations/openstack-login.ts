// Who we are to an OpenStack, from the environment of its command line client or from clouds.yaml; never from argv.

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { RunContext } from '../../tasks/context.ts'
import { ImgError } from '../../tasks/errors.ts'
import type { JsonValue } from '../../tasks/plan/step.ts'
import { parse } from '../../tasks/plan/yaml.ts'

export interface OpenstackLogin {
  /** What keystone is asked for a token with; undefined where none is wanted. */
  readonly keystone: { readonly url: URL; readonly request: JsonValue } | undefined
  /** Instead of the one keystone names. */
  readonly endpoint: URL | undefined
  readonly region: string | undefined
  readonly interface: string
}

/** `cloud` is a name of clouds.yaml; without one, and without OS_CLOUD, the OS_ variables count. */
export function openstackLogin(
  cloud: string,
  { env, cwd }: Pick<RunContext, 'env'> & { readonly cwd: string },
): OpenstackLogin {
  const name = cloud === '' ? (env['OS_CLOUD'] ?? '') : cloud
  const settings = name === '' ? fromEnvironment(env) : fromFiles(name, env, cwd)
  const { get } = settings
  const type = get('auth_type') ?? (get('application_credential_secret') === undefined ? 'password' : 'app')
  const endpoint = get('image_endpoint_override') ?? get('endpoint')
  return {
    keystone: type === 'none' ? undefined : keystoneOf(type, settings),
    endpoint:
      endpoint === undefined && type !== 'none'
        ? undefined
        : toUrl('image_endpoint_override', endpoint, settings),
    region: get('region_name'),
    interface: (get('interface') ?? 'public').replace(/URL$/, ''),
  }
}

interface Settings {
  readonly get: (name: string) => string | undefined
  /** How the user writes one, for messages. */
  readonly written: (name: string) => string
}

const fromEnvironment = (env: RunContext['env']): Settings => ({
  get: (name) => filled(env[variableOf(name)]),
  written: variableOf,
})

const variableOf = (name: string): string => `OS_${name.toUpperCase()}`

function fromFiles(cloud: string, env: RunContext['env'], cwd: string): Settings {
  const home = env['XDG_CONFIG_HOME'] ?? join(env['HOME'] ?? '/', '.config')
  const folders = [cwd, join(home, 'openstack'), '/etc/openstack']
  const files = [
    ...(env['OS_CLIENT_CONFIG_FILE'] === undefined ? [] : [env['OS_CLIENT_CONFIG_FILE']]),
    ...folders.map((folder) => join(folder, 'clouds.yaml')),
  ]
  const file = files.find((path) => cloudsIn(path) !== undefined)
  const found = file === undefined ? undefined : cloudsIn(file)?.[cloud]
  if (file === undefined || found === undefined) {
    throw new ImgError('OPTION_INVALID', `there is no cloud ${cloud} in ${file ?? 'any clouds.yaml'}`, {
      hint: `write it into ${file ?? files.at(-2)!}, or set OS_CLIENT_CONFIG_FILE`,
      found: cloud,
    })
  }
  // As the other clients have it: secrets may stand in a file of their own beside it.
  const secret = cloudsIn(join(dirname(file), 'secure.yaml'))?.[cloud]
  const all = { ...found, ...found.auth, ...secret, ...secret?.auth } as Readonly<Record<string, unknown>>
  const get = (name: string): string | undefined => {
    const value = all[name]
    return typeof value === 'string' || typeof value === 'number' ? filled(String(value)) : undefined
  }
  return { get, written: (name) => `${name} of the cloud ${cloud} in ${file}` }
}

type Clouds = Readonly<Record<string, { readonly auth?: object } | undefined>>

function cloudsIn(path: string): Clouds | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
  try {
    const { clouds } = parse(text) as { readonly clouds?: Clouds }
    return clouds ?? {}
  } catch (cause) {
    throw new ImgError('OPTION_INVALID', `${path} is no list of clouds`, {
      path,
      hint: 'correct its YAML: clouds, and below it a name with auth',
      cause,
    })
  }
}

const filled = (value: string | undefined): string | undefined => (value === '' ? undefined : value)

/** https://docs.openstack.org/api-ref/identity/v3/#authentication-and-token-management */
function keystoneOf(type: string, settings: Settings): NonNullable<OpenstackLogin['keystone']> {
  const { get } = settings
  const url = toUrl('auth_url', get('auth_url'), settings)
  if (!/\/v3\/?$/.test(url.pathname)) url.pathname = `${url.pathname.replace(/\/$/, '')}/v3`
  const need = (name: string): string => get(name) ?? missing(name, settings)
  const domain = (of: string): JsonValue => {
    const id = get(`${of}_domain_id`)
    return id === undefined ? { name: get(`${of}_domain_name`) ?? 'Default' } : { id }
  }
  const user = (): { readonly [name: string]: JsonValue } => {
    const id = get('user_id')
    return id === undefined ? { name: need('username'), domain: domain('user') } : { id }
  }
  const project = (): JsonValue => {
    const id = get('project_id')
    return id === undefined ? { name: need('project_name'), domain: domain('project') } : { id }
  }
  switch (type.replace(/^v3/, '')) {
    case 'password': {
      const password = { user: { ...user(), password: need('password') } }
      return {
        url,
        request: { auth: { identity: { methods: ['password'], password }, scope: { project: project() } } },
      }
    }
    case 'app':
    case 'applicationcredential': {
      const id = get('application_credential_id')
      const whose = id === undefined ? { name: need('application_credential_name'), user: user() } : { id }
      const credential = { ...whose, secret: need('application_credential_secret') }
      const identity = { methods: ['application_credential'], application_credential: credential }
      return { url, request: { auth: { identity } } }
    }
    case 'token': {
      const identity = { methods: ['token'], token: { id: need('token') } }
      return { url, request: { auth: { identity, scope: { project: project() } } } }
    }
    default:
      throw new ImgError('OPTION_INVALID', `there is no login by ${settings.written('auth_type')} ${type}`, {
        hint: 'use password, v3applicationcredential, token or none',
        found: type,
      })
  }
}

function toUrl(name: string, value: string | undefined, settings: Settings): URL {
  if (value === undefined) return missing(name, settings)
  if (/^https?:\/\//.test(value) && URL.canParse(value)) return new URL(value)
  throw new ImgError('OPTION_INVALID', `${settings.written(name)} is no address`, {
    hint: 'write it with https:// or http://',
  })
}

function missing(name: string, { written }: Settings): never {
  throw new ImgError('OPTION_INVALID', `${written(name)} is missing`, {
    hint: 'source the openrc file of the project, or name a cloud of clouds.yaml: --to glance:CLOUD',
  })
}
