// The token dance of registries: a refusal names who gives tokens for what, and the request is made again with one.

import { type Ask, type HttpAnswer, httpRequest, shown } from './http-request.ts'
import { RemoteError } from './remote.ts'

export interface RegistryCredentials {
  readonly user: string
  readonly password: string
}

/** Requests to one repository, with whatever authorization its registry wants. */
export function registryAsk(repository: string, credentials?: RegistryCredentials): Ask {
  /** By what it is for: a token to read does not write. */
  const authorizations = new Map<string, string>()
  return async (request) => {
    const scope = `repository:${repository}:${request.method === 'GET' || request.method === 'HEAD' ? 'pull' : 'pull,push'}`
    const authorize = async (): Promise<Record<string, string>> => {
      const authorization = authorizations.get(scope)
      return authorization === undefined ? {} : { authorization }
    }
    const first = await httpRequest({
      ...request,
      authorize,
      expects: [401],
      // A refusal has a body even where the answer has none.
      limit: Math.max(request.limit, tokenMax),
    })
    if (first.status !== 401) {
      if (first.body.length <= request.limit) return first
      throw new RemoteError(
        'answer',
        `${shown(request.url)} sends more than the ${request.limit} bytes there can be`,
      )
    }
    const fresh = await authorizationFor(first, { scope, credentials, signal: request.signal })
    if (fresh === undefined || fresh === authorizations.get(scope))
      throw new RemoteError('denied', `${shown(request.url)} refuses (HTTP 401)`)
    authorizations.set(scope, fresh)
    return httpRequest({ ...request, authorize })
  }
}

interface Wanted {
  readonly scope: string
  readonly credentials: RegistryCredentials | undefined
  readonly signal: AbortSignal
}

/** https://distribution.github.io/distribution/spec/auth/token/ */
async function authorizationFor(refusal: HttpAnswer, wanted: Wanted): Promise<string | undefined> {
  const challenge = refusal.headers.get('www-authenticate') ?? ''
  const basic = wanted.credentials && `Basic ${base64(wanted.credentials)}`
  if (/^basic\b/i.test(challenge)) return basic
  const realm = /\brealm="([^"]+)"/.exec(challenge)?.[1]
  if (!/^bearer\b/i.test(challenge) || realm === undefined || !URL.canParse(realm)) return undefined
  const url = new URL(realm)
  // Credentials go where the registry says, but never in clear where the registry itself is not.
  if (url.protocol !== 'https:' && refusal.url.protocol === 'https:') return undefined
  const service = /\bservice="([^"]+)"/.exec(challenge)?.[1]
  if (service !== undefined) url.searchParams.set('service', service)
  url.searchParams.set('scope', wanted.scope)
  const { status, body } = await httpRequest({
    method: 'GET',
    url,
    signal: wanted.signal,
    limit: tokenMax,
    ...(basic === undefined ? {} : { authorize: async () => ({ authorization: basic }) }),
  })
  if (status !== 200) return undefined
  const { token, access_token: accessToken } = JSON.parse(body.toString()) as Record<string, unknown>
  const given = token ?? accessToken
  return typeof given === 'string' ? `Bearer ${given}` : undefined
}

const base64 = ({ user, password }: RegistryCredentials): string =>
  Buffer.from(`${user}:${password}`).toString('base64')

const tokenMax = 64 * 1024
