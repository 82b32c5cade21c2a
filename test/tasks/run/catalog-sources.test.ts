import { describe, expect, test } from 'vitest'
import type { ImgError } from '../../../tasks/errors.ts'
import type { JsonValue } from '../../../tasks/plan/step.ts'
import type { RawCatalog } from '../../../tasks/run/catalog-normal.ts'
import { findSources, rewriteSources } from '../../../tasks/run/catalog-sources.ts'

const modules = [
  { name: 'profile', path: 'site-modules/profile' },
  { name: 'ntp', path: 'modules/ntp' },
]

test('a source is found below its module and becomes a path by content', () => {
  const catalog = catalogOf({ source: 'puppet:///modules/profile/a%20b/rules', mode: '0644' })
  expect([...findSources(catalog, modules)]).toEqual(['site-modules/profile/files/a b/rules'])
  const digests = new Map([['site-modules/profile/files/a b/rules', 'd1']])
  expect(rewriteSources(catalog, { modules, digests })).toEqual({
    catalog: catalogOf({ source: '/run/img/sources/d1', mode: '0644' }),
    sources: { '/run/img/sources/d1': 'd1' },
  })
})

describe('several sources', () => {
  const source = [
    'puppet:///modules/profile/host',
    'puppet:///modules/ntp/default',
    'puppet:///modules/ntp/last',
  ]
  const digests = new Map([
    ['modules/ntp/files/default', 'd2'],
    ['modules/ntp/files/last', 'd3'],
  ])

  test('the first that exists is taken', () => {
    const { sources, catalog } = rewriteSources(catalogOf({ source }), { modules, digests })
    expect(sources).toEqual({ '/run/img/sources/d2': 'd2' })
    expect(catalog).toEqual(catalogOf({ source: '/run/img/sources/d2' }))
  })

  test('with sourceselect => all, all that exist', () => {
    const { catalog } = rewriteSources(catalogOf({ source, sourceselect: 'all' }), { modules, digests })
    const staged = ['/run/img/sources/d2', '/run/img/sources/d3']
    expect(catalog).toEqual(catalogOf({ source: staged, sourceselect: 'all' }))
  })
})

test('paths of the image and pinned downloads are left as they are', () => {
  const pinned = { source: 'https://example.org/x', checksum: 'sha256', checksum_value: 'ab' }
  for (const parameters of [{ source: '/usr/share/x' }, { source: 'file:///usr/share/x' }, pinned, {}]) {
    const catalog = catalogOf(parameters)
    expect([...findSources(catalog, modules)]).toEqual([])
    expect(rewriteSources(catalog, { modules, digests: new Map() })).toEqual({ catalog, sources: {} })
  }
})

const refused: readonly [Record<string, JsonValue>, string, string][] = [
  [
    { source: 'puppet:///modules/profile/none' },
    'has the source puppet:///modules/profile/none, but there is no site-modules/profile/files/none',
    'add the file to the control repository or correct the source',
  ],
  [
    { source: 'puppet:///modules/nope/x' },
    'has the source puppet:///modules/nope/x, but there is no module nope',
    'modules of this environment: profile, ntp',
  ],
  [
    { source: 'puppet:///modules/ntp/../../../secret' },
    'has the source puppet:///modules/ntp/../../../secret, but there is no module ntp',
    'modules of this environment: profile, ntp',
  ],
  [
    { source: 'puppet://puppet.example.org/modules/ntp/x' },
    'has the source puppet://puppet.example.org/modules/ntp/x, which names no file of a module',
    'there is no puppet server here: write puppet:///modules/MODULE/PATH',
  ],
  [
    { source: 'https://example.org/x' },
    'downloads https://example.org/x without a checksum_value',
    'give checksum => sha256 and checksum_value, or keep the file in the control repository',
  ],
  [
    { source: ['/etc/x', 'puppet:///modules/ntp/x'] },
    'mixes puppet:/// and other sources: /etc/x, puppet:///modules/ntp/x',
    'which one is taken would depend on the image; name one kind',
  ],
]

test.each(refused)('refused: %j', (parameters, message, hint) => {
  const error = thrown(() => {
    const catalog = catalogOf(parameters)
    findSources(catalog, modules)
    rewriteSources(catalog, { modules, digests: new Map() })
  })
  expect(error.code).toBe('PUPPET_COMPILE')
  expect(error.message).toBe(`puppet/manifests/site.pp:7: File[/etc/x] ${message}`)
  expect(error.fields).toEqual({ hint, path: 'puppet/manifests/site.pp', line: 7 })
})

function catalogOf(parameters: Record<string, JsonValue>): RawCatalog {
  const place = { file: 'puppet/manifests/site.pp', line: 7 }
  return {
    name: 'web.invalid',
    environment: 'production',
    resources: [{ type: 'File', title: '/etc/x', ...place, parameters }],
  }
}

function thrown(run: () => void): ImgError {
  try {
    run()
  } catch (error) {
    return error as ImgError
  }
  throw new Error('nothing was thrown')
}
