import { expect, test } from 'vitest'
import type { ImgError } from '../../../tasks/errors.ts'
import type { JsonValue } from '../../../tasks/plan/step.ts'
import { normaliseCatalog, type RawCatalog, type RawResource } from '../../../tasks/run/catalog-normal.ts'

test('one compilation leaves no trace, and the order of resources stays', () => {
  const first = catalogOf([motd, ntp])
  const { catalog, locations } = normaliseCatalog(first)
  expect(catalog).toEqual({
    name: 'web.invalid',
    environment: 'production',
    catalog_format: 2,
    resources: [
      { type: 'File', title: '/etc/motd', tags: ['file'], exported: false, parameters: { content: 'hi\n' } },
      { type: 'Package', title: 'ntp', exported: false },
    ],
    edges: [{ source: 'Stage[main]', target: 'Class[main]' }],
  })
  expect(locations).toEqual({
    'File[/etc/motd]': 'puppet/manifests/site.pp:3',
    'Package[ntp]': 'puppet/x.pp',
  })
  const later = { ...first, version: 2, code_id: 'abc', catalog_uuid: 'other' }
  const moved = { ...later, resources: [{ ...motd, line: 9 }, ntp] }
  expect(normaliseCatalog(moved).catalog).toEqual(catalog)
  expect(normaliseCatalog(catalogOf([ntp, motd])).catalog).not.toEqual(catalog)
})

test('a Sensitive that only the machine resolves is fine', () => {
  const parameters = { content: { __ptype: 'Deferred', name: 'vault::get', arguments: ['x'] } }
  const resource = { ...motd, parameters, sensitive_parameters: ['content'] }
  expect(() => normaliseCatalog(catalogOf([resource]))).not.toThrow()
})

const clear: readonly [string, Partial<RawResource>, string][] = [
  ['marked by puppet', { sensitive_parameters: ['content'] }, 'content'],
  ['as rich data', { parameters: { env: { __ptype: 'Sensitive', __pvalue: 'geheim' } } }, 'env'],
  [
    'inside a Deferred',
    {
      parameters: {
        content: {
          __ptype: 'Deferred',
          name: 'sprintf',
          arguments: [['%s', { __ptype: 'Sensitive', __pvalue: 'geheim' }]],
        },
      },
    },
    'content',
  ],
  [
    'in a list',
    { parameters: { lines: ['a', { x: { __ptype: 'Sensitive', __pvalue: 'geheim' } }] } },
    'lines',
  ],
]

test.each(clear)('a Sensitive in clear is refused: %s', (_, over, parameter) => {
  const error = refusal([{ ...motd, ...over }])
  expect(error.code).toBe('PUPPET_SENSITIVE')
  expect(error.message).toBe(
    `puppet/manifests/site.pp:3: File[/etc/motd] has a Sensitive value in ${parameter}, which would be stored in clear`,
  )
  expect(error.fields).toEqual({
    hint: 'leave the secret to the deployment, or make it Deferred so that only the machine that needs it asks for it',
    found: `File[/etc/motd] ${parameter}`,
    path: 'puppet/manifests/site.pp',
    line: 3,
  })
  expect(JSON.stringify([error.message, error.fields])).not.toMatch('geheim')
})

test('a refused resource may have no place', () => {
  const { file: _file, line: _line, ...placeless } = motd
  expect(refusal([{ ...placeless, sensitive_parameters: ['content'] }]).message).toBe(
    'File[/etc/motd] has a Sensitive value in content, which would be stored in clear',
  )
})

const motd = {
  type: 'File',
  title: '/etc/motd',
  tags: ['file'],
  file: 'puppet/manifests/site.pp',
  line: 3,
  exported: false,
  parameters: { content: 'hi\n' } as Record<string, JsonValue>,
}

const ntp = { type: 'Package', title: 'ntp', file: 'puppet/x.pp', exported: false }

function catalogOf(resources: readonly RawResource[]): RawCatalog {
  return {
    name: 'web.invalid',
    version: 1_795_366_393,
    code_id: null,
    catalog_uuid: 'ca79fc70-6b1e-474a-a5bb-6fde4fa0e89c',
    catalog_format: 2,
    environment: 'production',
    resources,
    edges: [{ source: 'Stage[main]', target: 'Class[main]' }],
  }
}

function refusal(resources: readonly RawResource[]): ImgError {
  try {
    normaliseCatalog(catalogOf(resources))
  } catch (error) {
    return error as ImgError
  }
  throw new Error('nothing was refused')
}
