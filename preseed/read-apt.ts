// Where the image itself gets packages from: mirror, suites, components, further repositories.

import type { Answer } from './parse-preseed.ts'
import type { Sheet } from './sheet.ts'

export interface AptSettings {
  /** `http://ftp.debian.org/debian`. */
  readonly mirror: string
  readonly securityMirror: string
  /** What mirror/suite says, undefined when it is left to the recipe. */
  readonly suite: { readonly name: string; readonly line: number } | undefined
  readonly proxy: { readonly protocol: string; readonly url: string } | undefined
  readonly components: readonly string[]
  /** Line that asks for a component, for messages. */
  readonly componentLines: Readonly<Record<string, number>>
  readonly sources: boolean
  readonly updates: boolean
  readonly security: boolean
  readonly backports: boolean
  readonly servicesLine: number
  readonly local: readonly LocalRepository[]
}

export interface LocalRepository {
  /** File name below /etc/apt/sources.list.d, without suffix. */
  readonly name: string
  readonly comment: string
  readonly uri: string
  readonly suite: string
  readonly components: readonly string[]
  readonly sources: boolean
  /** Armoured or binary OpenPGP key in base64; undefined for `[trusted=yes]` and `[signed-by=…]`. */
  readonly key: string | undefined
  readonly armoured: boolean
  /** sources.list options, `signed-by` of `key` not among them. */
  readonly options: readonly string[]
}

export function readApt(sheet: Sheet): AptSettings {
  const { components, componentLines } = readComponents(sheet)
  const chosen = sheet.answer('apt-setup/services-select')
  const selected = (chosen?.value ?? 'security, updates').split(/[\s,]+/).filter(Boolean)
  for (const name of selected) {
    if (['security', 'updates', 'backports'].includes(name)) continue
    sheet.error(chosen, `there is no update service "${name}"`, 'choose from security, updates and backports')
  }
  const suite = sheet.answer('mirror/suite')
  const codename = sheet.answer('mirror/codename')
  const release = suite?.value ? suite : codename
  const host = sheet.text('apt-setup/security_host') ?? 'security.debian.org'
  if (!sheet.flag('apt-setup/use_mirror', true) || sheet.flag('apt-setup/no_mirror', false)) {
    const answer = sheet.answer('apt-setup/use_mirror') ?? sheet.answer('apt-setup/no_mirror')
    sheet.error(answer, 'an image without a mirror is not supported', 'remove the line')
  }
  return {
    ...readMirror(sheet),
    securityMirror: `http://${host}/debian-security`,
    suite: release?.value ? { name: release.value, line: release.line } : undefined,
    components,
    componentLines,
    sources: sheet.flag('apt-setup/enable-source-repositories', true),
    updates: selected.includes('updates'),
    security: selected.includes('security'),
    backports: selected.includes('backports'),
    servicesLine: chosen?.line ?? 0,
    local: readLocals(sheet),
  }
}

function readMirror(sheet: Sheet): Pick<AptSettings, 'mirror' | 'proxy'> {
  const protocolAnswer = sheet.answer('mirror/protocol')
  const protocol = protocolAnswer?.value || 'http'
  const read = (name: string, what: string): Answer | undefined => sheet.answer(`mirror/${name}/${what}`)
  const all = ['http', 'https'].map((name) => ({
    name,
    host: read(name, 'hostname')?.value || read(name, 'mirror')?.value,
    directory: read(name, 'directory')?.value,
    proxy: read(name, 'proxy')?.value,
  }))
  const mine = all.find(({ name }) => name === protocol)
  if (mine === undefined) {
    sheet.error(protocolAnswer, `mirrors are not reached by "${protocol}"`, 'use http or https')
    return { mirror: 'http://ftp.debian.org/debian', proxy: undefined }
  }
  const host = mine.host === undefined || mine.host === 'manual' ? 'ftp.debian.org' : mine.host
  const directory = (mine.directory || '/debian').replace(/^\/*/, '/').replace(/\/+$/, '')
  const mirror = `${protocol}://${host}${directory}`
  const at = sheet.answer(`mirror/${protocol}/hostname`) ?? sheet.answer(`mirror/${protocol}/directory`)
  if (!URL.canParse(mirror) || /[\s"'<>]/.test(mirror)) {
    sheet.error(at, `"${mirror}" is no mirror address`, 'write host name and directory without protocol')
  }
  return { mirror, proxy: mine.proxy ? { protocol, url: mine.proxy } : undefined }
}

function readComponents(sheet: Sheet): Pick<AptSettings, 'components' | 'componentLines'> {
  const lines: Record<string, number> = {}
  const components = ['main']
  for (const name of ['contrib', 'non-free', 'non-free-firmware']) {
    const answer = sheet.answer(`apt-setup/${name}`)
    // As in the installer, contrib follows non-free unless it is answered itself.
    const asked = answer ?? (name === 'contrib' ? sheet.answer('apt-setup/non-free') : undefined)
    if (asked?.value !== 'true') continue
    components.push(name)
    lines[name] = asked.line
  }
  return { components, componentLines: lines }
}

function readLocals(sheet: Sheet): readonly LocalRepository[] {
  const found: LocalRepository[] = []
  let gap = false
  for (let index = 0; index < 10; index++) {
    const prefix = `apt-setup/local${index}`
    const repository = sheet.answer(`${prefix}/repository`)
    const comment = sheet.text(`${prefix}/comment`) ?? ''
    const key = sheet.answer(`${prefix}/key`)
    const options = sheet.text(`${prefix}/options`)?.split(/\s+/) ?? []
    const sources = sheet.flag(`${prefix}/source`, false)
    if (repository === undefined || repository.value === '') {
      gap = true
      continue
    }
    if (gap) {
      sheet.error(
        repository,
        `apt-setup/local${index} comes after a number without repository, where the installer stops reading`,
        'number the repositories from local0 without gaps',
      )
    }
    const [uri = '', suite = '', ...components] = repository.value.replace(/^deb\s+/, '').split(/\s+/)
    if (!URL.canParse(uri) || suite === '' || (components.length === 0 && !suite.endsWith('/'))) {
      sheet.error(
        repository,
        `"${repository.value}" is no repository`,
        'write it like: https://repo.example.org/debian stable main',
      )
    }
    const name = comment === '' ? `apt-setup_local${index}` : comment.replaceAll(/[^0-9A-Za-z]+/g, '_')
    found.push({
      name,
      comment,
      uri,
      suite,
      components,
      sources,
      options,
      ...readKey(sheet, { repository, key, options }),
    })
  }
  return found
}

interface LocalKey {
  readonly repository: Answer
  readonly key: Answer | undefined
  readonly options: readonly string[]
}

function readKey(
  sheet: Sheet,
  { repository, key, options }: LocalKey,
): Pick<LocalRepository, 'key' | 'armoured'> {
  const none = { key: undefined, armoured: false }
  if (key === undefined || key.value === '') {
    if (!options.some((option) => /^(?:trusted=yes|signed-by=)/.test(option))) {
      sheet.error(
        repository,
        `${repository.question} has no key, so apt would refuse it`,
        `add ${repository.question.replace('repository', 'key')} string base64://… (base64 -w0 of the key file)`,
      )
    }
    return none
  }
  const inline = /^base64:\/\/([A-Za-z0-9+/]+={0,2})$/.exec(key.value)?.[1]
  if (inline === undefined) {
    sheet.error(
      key,
      `${key.question} is not in the file, and what an address serves may change`,
      'put the key into the line itself: base64://… with the output of base64 -w0 KEYFILE',
    )
    return none
  }
  const armoured = Buffer.from(inline, 'base64').includes('-----BEGIN PGP PUBLIC KEY BLOCK-----')
  return { key: inline, armoured }
}
