// The locked repositories as a machine of the build reaches them. Configuration lies beside the script, outside of the
// image; lists and packages go to the image's own caches, which are sealed away: memory is too small for them.

import { readFile } from 'node:fs/promises'
import type { AptAccess } from './backend.ts'
import { networkHost, type Endpoint } from './build-network.ts'
import { aptEnv } from './chroot-apt.ts'
import { guestFolder, type GuestFile } from './firstboot-script.ts'

export interface GuestApt {
  readonly files: readonly GuestFile[]
  readonly env: Readonly<Record<string, string>>
  readonly endpoints: readonly Endpoint[]
  /** Run before the script. */
  readonly prepare: string
}

export async function guestApt(access: AptAccess | undefined): Promise<GuestApt> {
  if (access === undefined) throw new Error('no access to the repositories was given')
  const ports = new Set(
    access.sources.flatMap((line) => [...line.matchAll(mirror)].map(([, port]) => Number(port))),
  )
  const sources = access.sources.map((line) =>
    line.replaceAll(mirror, `http://${networkHost}:$1/`).replaceAll('/run/img/apt', folder),
  )
  return {
    files: [
      text('sources.list', `${sources.join('\n')}\n`),
      text('apt.conf', renderConfig(access)),
      { path: 'apt/keyring.gpg', mode: '0644', content: await readFile(access.keyring) },
    ],
    env: { ...aptEnv, APT_CONFIG: `${folder}/apt.conf` },
    endpoints: [...ports].map((port) => ({ host: '127.0.0.1', port })),
    prepare: `APT_CONFIG=${folder}/apt.conf apt-get -o APT::Update::Error-Mode=any update`,
  }
}

const text = (path: string, content: string): GuestFile => ({
  path: `apt/${path}`,
  mode: '0644',
  content: Buffer.from(content),
})

const folder = `${guestFolder}/apt`
const mirror = /http:\/\/127\.0\.0\.1:(\d+)\//g

const renderConfig = (access: AptAccess): string =>
  [
    ...access.config,
    'APT::Get::Assume-Yes "true";',
    'APT::Sandbox::User "root";',
    'Acquire::Languages "none";',
    `Acquire::http::Proxy::${networkHost} "DIRECT";`,
    `Dir::Etc::SourceList "${folder}/sources.list";`,
    'Dir::Etc::SourceParts "/dev/null";',
    'DPkg::Options { "--force-confold"; };',
    '',
  ].join('\n')
