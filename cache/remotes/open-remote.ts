// From a URL to a remote. Credentials come from the environment only: a URL stands in an imgfile, in logs and in argv.

import { fileURLToPath } from 'node:url'
import type { RunContext } from '../../tasks/context.ts'
import { ImgError } from '../../tasks/errors.ts'
import { directoryRemote } from './directory.ts'
import { type Ask, httpRequest } from './http-request.ts'
import { httpRemote } from './http.ts'
import { ociRemote } from './oci.ts'
import type { RegistryCredentials } from './oci-token.ts'
import { dockerLogin, registryOrigin } from './registry-access.ts'
import type { Remote } from './remote.ts'
import { s3Remote } from './s3.ts'

type Env = RunContext['env']

/** `file:///…`, `https://…`, `s3://bucket/prefix`, `oci://registry/repository`. Throws OPTION_INVALID. */
export function openRemote(text: string, env: Env): Remote {
  const url = parseUrl(text)
  switch (url.protocol) {
    case 'file:':
      return directoryRemote(fileURLToPath(url))
    case 'http:':
    case 'https:':
      return webRemote(url, env)
    case 's3:':
      return bucketRemote(url, env)
    case 'oci:':
      return registryRemote(url, env)
    default:
      throw invalid(text, `there is no remote for ${url.protocol}`, `use one of ${schemes}`)
  }
}

const schemes = 'file:///folder, https://host/path, s3://bucket/prefix, oci://registry/repository'

function parseUrl(text: string): URL {
  if (!URL.canParse(text))
    throw invalid(text, `the remote ${JSON.stringify(text)} is no URL`, `use one of ${schemes}`)
  const url = new URL(text)
  if (url.username === '' && url.password === '') return url
  url.username = ''
  url.password = ''
  throw invalid(
    url.href,
    `the remote ${url.href} has a password in its URL`,
    'take it out and set IMG_REMOTE_USER and IMG_REMOTE_PASSWORD, or IMG_REMOTE_TOKEN',
  )
}

const invalid = (found: string, message: string, hint: string): ImgError =>
  new ImgError('OPTION_INVALID', message, { found, hint })

function webRemote(url: URL, env: Env): Remote {
  const authorization = webAuthorization(env)
  const authorize = authorization && (async () => ({ authorization }))
  const ask: Ask = (request) => httpRequest({ ...request, ...(authorize && { authorize }) })
  // Few servers keep the condition, and one that ignores it would replace what is there: asked before writing instead.
  return httpRemote(url, { ask, conditional: false })
}

function webAuthorization(env: Env): string | undefined {
  const token = env['IMG_REMOTE_TOKEN'] ?? ''
  if (token !== '') return `Bearer ${token}`
  const login = loginOf(env)
  return login && `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`
}

function loginOf(env: Env): RegistryCredentials | undefined {
  const [user = '', password = ''] = [env['IMG_REMOTE_USER'], env['IMG_REMOTE_PASSWORD']]
  return user === '' ? undefined : { user, password }
}

/** Settings by the names the AWS tools have for them; `?endpoint=` and `?region=` in the URL go first. */
function bucketRemote(url: URL, env: Env): Remote {
  const endpoint =
    url.searchParams.get('endpoint') ?? env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL'] ?? ''
  const [accessKeyId = '', secretAccessKey = ''] = [env['AWS_ACCESS_KEY_ID'], env['AWS_SECRET_ACCESS_KEY']]
  const sessionToken = env['AWS_SESSION_TOKEN'] ?? ''
  const credentials =
    accessKeyId === ''
      ? undefined
      : { accessKeyId, secretAccessKey, ...(sessionToken === '' ? {} : { sessionToken }) }
  return s3Remote({
    bucket: url.hostname,
    prefix: url.pathname.replaceAll(/^\/+|\/+$/g, ''),
    region: url.searchParams.get('region') ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? 'us-east-1',
    conditional: url.searchParams.get('conditional') !== 'no',
    ...(endpoint === '' ? {} : { endpoint: new URL(endpoint) }),
    ...(credentials === undefined ? {} : { credentials }),
  })
}

function registryRemote(url: URL, env: Env): Remote {
  const credentials = loginOf(env) ?? dockerLogin(url.host, env)
  return ociRemote({
    origin: registryOrigin(url),
    repository: url.pathname.replaceAll(/^\/+|\/+$/g, ''),
    ...(credentials === undefined ? {} : { credentials }),
  })
}
