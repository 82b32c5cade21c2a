// Where a registry is, and as whom it is asked.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunContext } from '../../tasks/context.ts'
import type { RegistryCredentials } from './oci-token.ts'

/** Of `oci://HOST/…` and `docker://HOST/…`: encrypted, except on this machine and where somebody says otherwise. */
export function registryOrigin(url: URL, { plainHttp = false }: { readonly plainHttp?: boolean } = {}): URL {
  const isHere = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)
  return new URL(`${isHere || plainHttp ? 'http' : 'https'}://${url.host}`)
}

/** For pushing images: those of the shared cache are for that only. */
export function registryLogin(host: string, env: RunContext['env']): RegistryCredentials | undefined {
  const [user = '', password = ''] = [env['IMG_REGISTRY_USER'], env['IMG_REGISTRY_PASSWORD']]
  return user === '' ? dockerLogin(host, env) : { user, password }
}

/** What `docker login` or `podman login` wrote in clear; credential stores are not asked. */
export function dockerLogin(host: string, env: RunContext['env']): RegistryCredentials | undefined {
  const home = env['HOME'] ?? ''
  const files = [
    ...(env['REGISTRY_AUTH_FILE'] === undefined ? [] : [env['REGISTRY_AUTH_FILE']]),
    ...(env['DOCKER_CONFIG'] === undefined ? [] : [join(env['DOCKER_CONFIG'], 'config.json')]),
    ...(home === '' ? [] : [join(home, '.docker/config.json')]),
    ...(env['XDG_RUNTIME_DIR'] === undefined ? [] : [join(env['XDG_RUNTIME_DIR'], 'containers/auth.json')]),
  ]
  for (const file of files) {
    const auth = authIn(file, host)
    const [user, ...rest] = auth === undefined ? [] : Buffer.from(auth, 'base64').toString().split(':')
    if (user !== undefined && user !== '') return { user, password: rest.join(':') }
  }
  return undefined
}

function authIn(file: string, host: string): string | undefined {
  try {
    const { auths } = JSON.parse(readFileSync(file, 'utf8')) as {
      auths?: Record<string, { auth?: unknown } | undefined>
    }
    const auth = (auths?.[host] ?? auths?.[`https://${host}`])?.auth
    return typeof auth === 'string' ? auth : undefined
  } catch {
    return undefined
  }
}
