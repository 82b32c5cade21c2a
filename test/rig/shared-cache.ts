// A folder as the shared cache of machines that each have a cache of their own, and keys.json saying who may write it.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { renderTrustedKeys } from '../../cache/trust/trusted-keys.ts'
import type { RunContext } from '../../tasks/context.ts'
import type { ImgEvent } from '../../tasks/events.ts'
import { testContext } from './run-context.ts'
import { type SigningKey, signingKey } from './entry-keys.ts'
import { tempFolder } from './temp-folder.ts'

export interface SharedCache {
  readonly folder: string
  readonly url: string
  readonly ci: SigningKey
  readonly alice: SigningKey
  /** Another machine; `as` whom it writes, nobody when absent. */
  machine(
    as?: SigningKey,
    env?: Readonly<Record<string, string>>,
  ): RunContext & { readonly events: ImgEvent[] }
}

export function sharedCache(): SharedCache {
  const folder = tempFolder()
  const url = pathToFileURL(folder).href
  const [ci, alice] = [signingKey('ci', ['main']), signingKey('alice', ['dev/alice'])]
  const keys = renderTrustedKeys({ project: 'project-1', keys: [ci.trusted, alice.trusted] })
  return {
    folder,
    url,
    ci,
    alice,
    machine(as, env = {}) {
      const pem = as?.own.key.export({ type: 'pkcs8', format: 'pem' }).toString()
      const context = testContext({
        env: {
          HOME: tempFolder(),
          PATH: process.env['PATH'],
          IMG_REMOTES: url,
          ...(pem === undefined ? {} : { IMG_SIGNING_KEY: pem }),
          ...(as === ci ? { CI: 'true' } : {}),
          ...env,
        },
      })
      writeFileSync(join(context.root, 'keys.json'), keys)
      return context
    },
  }
}
