// Requests to the image API of an OpenStack, with a token that is renewed when it is refused.

import { type Ask, httpRequest, shown } from '../remotes/http-request.ts'
import { RemoteError } from '../remotes/remote.ts'
import type { OpenstackLogin } from './openstack-login.ts'

export interface OpenstackSession {
  /** Of the image API: `https://…/v2/`. */
  readonly images: URL
  /** Whose images are ours; undefined where nobody logs in. */
  readonly project: string | undefined
  readonly ask: Ask
}

/** Throws RemoteError. */
export async function openSession(login: OpenstackLogin, signal: AbortSignal): Promise<OpenstackSession> {
  const { keystone, endpoint } = login
  if (keystone === undefined) return { images: apiOf(endpoint!), project: undefined, ask: httpRequest }
  let token = await askToken(keystone, signal)
  const images = apiOf(endpoint ?? endpointIn(token, login))
  checkEncryption(keystone.url, images)
  const ask: Ask = async (request) => {
    const authorize = async (): Promise<Record<string, string>> => ({ 'x-auth-token': token.id })
    const first = await httpRequest({ ...request, authorize, expects: [...(request.expects ?? []), 401] })
    if (first.status !== 401) return first
    token = await askToken(keystone, request.signal)
    return httpRequest({ ...request, authorize })
  }
  return { images, project: token.project, ask }
}

/** A token is as good as a password, and goes nowhere in clear that keystone itself does not. */
export function checkEncryption(keystone: URL, images: URL): void {
  if (images.protocol === 'https:' || keystone.protocol !== 'https:') return
  throw new RemoteError('answer', `${shown(images)} is not encrypted, though ${shown(keystone)} is`)
}

interface Token {
  readonly id: string
  readonly project: string | undefined
  readonly catalog: readonly CatalogService[]
}

interface CatalogService {
  readonly type: string
  readonly endpoints: readonly {
    readonly interface: string
    readonly region_id?: string
    readonly url: string
  }[]
}

async function askToken(
  { url, request }: NonNullable<OpenstackLogin['keystone']>,
  signal: AbortSignal,
): Promise<Token> {
  const at = new URL(`${url.href.replace(/\/$/, '')}/auth/tokens`)
  const answer = await httpRequest({
    method: 'POST',
    url: at,
    signal,
    limit: answerMax,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(request)),
  })
  const id = answer.headers.get('x-subject-token')
  if (answer.status !== 201 || id === null)
    throw new RemoteError('answer', `${shown(at)} gives no token (HTTP ${answer.status})`)
  try {
    const { token } = JSON.parse(answer.body.toString()) as {
      readonly token: { readonly project?: { readonly id: string }; readonly catalog?: Token['catalog'] }
    }
    return { id, project: token.project?.id, catalog: token.catalog ?? [] }
  } catch (cause) {
    throw new RemoteError('answer', `${shown(at)} gives no token (HTTP ${answer.status})`, { cause })
  }
}

function endpointIn({ catalog }: Token, login: OpenstackLogin): URL {
  const { region } = login
  const found = catalog
    .filter(({ type }) => type === 'image')
    .flatMap(({ endpoints }) => endpoints)
    .find((one) => one.interface === login.interface && (region === undefined || one.region_id === region))
  if (found !== undefined && URL.canParse(found.url)) return new URL(found.url)
  const where = region === undefined ? '' : ` in the region ${region}`
  throw new RemoteError(
    'answer',
    `${shown(login.keystone!.url)} knows no ${login.interface} image service${where}`,
  )
}

/** With or without its version in the catalog. */
const apiOf = (endpoint: URL): URL =>
  new URL(`${endpoint.href.replace(/\/+$/, '').replace(/\/v2(?:\.\d+)?$/, '')}/v2/`)

const answerMax = 4 * 1024 * 1024
