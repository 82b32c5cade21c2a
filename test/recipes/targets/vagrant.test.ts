import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { vagrant, type VagrantOptions } from '../../../recipes/targets/vagrant.ts'
import type { Layer } from '../../../tasks/plan/recipe.ts'
import type { StepOf } from '../../../tasks/plan/step.ts'
import { factsOf } from '../facts.ts'
import { stepsOf } from '../steps-of.ts'
import { debian, parentLayer } from './parent-layer.ts'

const role = parentLayer('role:web', { debian, bios: true } as const)
const options: VagrantOptions = {
  box: 'example/web',
  version: '1.2.0',
  url: 'https://boxes.example.org/web',
}

function emitted(target: Layer, name: string, catalog = ''): string {
  const steps = target.recipes[0]!.steps(factsOf(catalog, 'catalog.json'))
  const found = steps.find((step): step is StepOf<'emit'> => step.do === 'emit' && step.to === name)
  return found?.text ?? ''
}

describe('vagrant', () => {
  test('has an account everybody can enter, on a disk of its own', () => {
    const disk = vagrant(role, options).from!
    expect(disk.name).toBe('vagrant-disk:web')
    expect(disk.from).toBe(role)
    const written = JSON.stringify(stepsOf(disk.recipes[0]!).steps)
    for (const wanted of [
      'vagrant insecure public key',
      'NOPASSWD: ALL',
      'UseDNS no',
      '"rsync"',
      '"0700"',
      '"0600"',
    ]) {
      expect(written).toContain(wanted)
    }
  })

  test('makes a box for each provider, and the catalog', () => {
    const steps = stepsOf(vagrant(role, options).recipes[0]!).steps
    expect(steps.map((step) => ('to' in step ? step.to : ''))).toEqual([
      'libvirt/box.img',
      'libvirt/metadata.json',
      'libvirt/Vagrantfile',
      'libvirt.box',
      'virtualbox/disk.vmdk',
      'virtualbox/box.ovf',
      'virtualbox/metadata.json',
      'virtualbox/Vagrantfile',
      'virtualbox.box',
      'catalog.json',
      'SHA256SUMS',
    ])
    const one = vagrant(role, { ...options, providers: ['virtualbox'] })
    expect(stepsOf(one.recipes[0]!).steps).toHaveLength(7)
  })

  test('the description names one disk everywhere', () => {
    const ovf = emitted(vagrant(role, options), 'virtualbox/box.ovf')
    expect(ovf.match(/\{\{uuid disk\}\}/g)).toHaveLength(2)
    expect(ovf).toContain('ovf:href="disk.vmdk" ovf:id="file1" ovf:size="{{size virtualbox/disk.vmdk}}"')
    const facts = ovf.replaceAll(/\{\{[^{}]+\}\}/g, (fact) => createHash('md5').update(fact).digest('hex'))
    // Every element that is opened is closed, in order.
    const open: string[] = []
    for (const [, close, name = '', self] of facts.matchAll(/<(\/?)([A-Za-z:]+)[^<>]*?(\/?)>/g)) {
      if (close === '/' && open.at(-1) === name) open.pop()
      else if (self !== '/') open.push(name)
    }
    expect(open).toEqual([])
  })

  test('the catalog keeps the versions before, the newest first', () => {
    const before = {
      name: 'example/web',
      versions: ['1.10.0', '1.2.0', '1.9.1'].map((version) => ({ version })),
    }
    const target = vagrant(role, { ...options, catalog: 'boxes/web.json', providers: ['libvirt'] })
    expect(target.recipes[0]?.inputs).toEqual({ catalog: { kind: 'text', path: 'boxes/web.json' } })
    const catalog = JSON.parse(emitted(target, 'catalog.json', JSON.stringify(before))) as typeof before
    expect(catalog.versions.map(({ version }) => version)).toEqual(['1.10.0', '1.9.1', '1.2.0'])
    expect(catalog.versions[2]).toEqual({
      version: '1.2.0',
      status: 'active',
      providers: [
        {
          name: 'libvirt',
          url: 'https://boxes.example.org/web/1.2.0/libvirt.box',
          checksum_type: 'sha256',
          checksum: '{{sha256 libvirt.box}}',
          architecture: '{{deb-arch}}',
          default_architecture: true,
        },
      ],
    })
  })

  test.each([
    ['{', 'catalog.json is not JSON', 'take the catalog.json of the version before'],
    [
      '{"name":"example/db"}',
      'catalog.json is the catalog of "example/db", not of example/web',
      'name the catalog of this box',
    ],
  ])('the catalog %s is refused', (text, message, hint) => {
    const target = vagrant(role, { ...options, catalog: 'catalog.json' })
    expect(() => emitted(target, 'catalog.json', text)).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID', message, fields: { path: 'catalog.json', hint } }),
    )
  })

  test.each([
    [{ ...options, box: 'web' }, 'vagrant: "box" is "web", not user/box'],
    [{ ...options, version: '1.2' }, 'vagrant: "version" is "1.2", not three numbers, X.Y.Z'],
    [{ ...options, url: '/srv' }, 'vagrant: "url" is "/srv", not an address without slash at its end'],
    [{ ...options, provider: 'x' }, 'vagrant: unknown option "provider"'],
  ])('%j is refused', (given, message) => {
    expect(() => vagrant(role, given as never)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', message }),
    )
  })

  test('needs what only some layers have', () => {
    // @ts-expect-error -- nothing is known of it
    expect(() => vagrant(parentLayer('role:x', {}), options)).toThrow(
      'vagrant: role:x has no package archives to install rsync and sudo from',
    )
  })
})
