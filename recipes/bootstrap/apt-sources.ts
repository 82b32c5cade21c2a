// The image's own package sources: what the answer file says, never the mirror it was built from.

import type { AptSettings, LocalRepository } from '../../preseed/read-apt.ts'
import type { PackageSettings } from '../../preseed/read-packages.ts'
import type { Step, StepOf } from '../../tasks/plan/step.ts'
import { armour } from './armour.ts'

export function aptSources(suite: string, apt: AptSettings, packages: PackageSettings): readonly Step[] {
  const main = stanza(apt, apt.mirror, [
    suite,
    ...(apt.updates ? [`${suite}-updates`] : []),
    ...(apt.backports ? [`${suite}-backports`] : []),
  ])
  const security = apt.security ? [stanza(apt, apt.securityMirror, [`${suite}-security`])] : []
  return [
    { do: 'remove', paths: ['/etc/apt/sources.list', '/etc/apt/sources.list.d/*'] },
    write('/etc/apt/sources.list.d/debian.sources', [main, ...security].join('\n')),
    ...apt.local.flatMap(localRepository),
    ...(apt.proxy === undefined
      ? []
      : [
          write('/etc/apt/apt.conf.d/90proxy', `Acquire::${apt.proxy.protocol}::Proxy "${apt.proxy.url}";\n`),
        ]),
    // The installer leaves the same file behind.
    ...(packages.recommends
      ? []
      : [write('/etc/apt/apt.conf.d/00InstallRecommends', 'APT::Install-Recommends "false";\n')]),
  ]
}

function stanza(apt: AptSettings, uri: string, suites: readonly string[]): string {
  return `Types: deb${apt.sources ? ' deb-src' : ''}
URIs: ${uri}
Suites: ${suites.join(' ')}
Components: ${apt.components.join(' ')}
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`
}

function localRepository(local: LocalRepository): readonly Step[] {
  const keyring = `/etc/apt/keyrings/${local.name}.asc`
  const signedBy = local.key === undefined ? [] : [`signed-by=${keyring}`]
  const options = [...signedBy, ...local.options]
  const rest = [
    ...(options.length === 0 ? [] : [`[${options.join(' ')}]`]),
    local.uri,
    local.suite,
    ...local.components,
  ].join(' ')
  const lines = [
    ...(local.comment === '' ? [] : [`# ${local.comment}`]),
    `deb ${rest}`,
    ...(local.sources ? [`deb-src ${rest}`] : []),
  ]
  return [
    ...(local.key === undefined
      ? []
      : [write(keyring, local.armoured ? Buffer.from(local.key, 'base64').toString() : armour(local.key))]),
    write(`/etc/apt/sources.list.d/${local.name}.list`, `${lines.join('\n')}\n`),
  ]
}

const write = (path: string, content: string): StepOf<'write'> => ({
  do: 'write',
  path,
  content,
  mode: '0644',
})
