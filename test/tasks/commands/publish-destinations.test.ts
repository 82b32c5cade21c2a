import { expect, test } from 'vitest'
import { chooseDestination } from '../../../tasks/commands/publish-destinations.ts'

const choose = (names: readonly string[], options: Readonly<Record<string, unknown>>): unknown => {
  const layers = names.map((name) => ({ name, kind: name.replace(/:.*/, '') }))
  try {
    return chooseDestination({ layers, options }).to
  } catch (error) {
    return error
  }
}

test.each([
  [['template:a', 'template:b'], { to: 'images', gpgKey: 'x', conf: 'x.conf', uri: 'https://x', keep: 1 }],
  [['docker:a'], { to: 'docker://registry.example.org/a', tag: ['x'], plainHttp: true }],
  [['vagrant:a'], { to: '/srv/boxes/a' }],
  [['openstack:a', 'openstack:b'], { to: 'glance:', keep: 0 }],
  [['openstack:a'], { to: 'glance:prod' }],
  ...['ramdisk', 'qcow2', 'raw', 'vmdk', 'ova'].map(
    (kind) => [[`${kind}:a`], { to: '/srv/a', gpgKey: 'x', keep: 1 }] as const,
  ),
  [['container-disk:a'], { to: 'docker://registry.example.org/a' }],
] as const)('%j goes to %j', (names, options) => {
  expect(choose(names, options)).toBe(options.to)
})

const toRegistry = 'add --to docker://HOST/REPOSITORY; `img export` writes the files to a folder'

test.each([
  [['docker:a'], {}, '--to is missing', toRegistry],
  [['docker:a'], { to: 'images' }, 'docker:a cannot be published to images', toRegistry],
  [['docker:a'], { to: 'oci://x/a' }, 'docker:a cannot be published to oci://x/a', toRegistry],
  [
    ['template:a'],
    { to: 'docker://registry.example.org/a' },
    'template:a cannot be published to docker://registry.example.org/a',
    'add --to DIR, the folder of the repository',
  ],
  [
    ['docker:a', 'docker:b'],
    { to: 'docker://x/a' },
    'docker:a and docker:b cannot both go to docker://x/a',
    'publish each of them to a place of its own',
  ],
  [
    ['docker:a', 'template:b'],
    { to: 'docker://x/a' },
    'docker:a and template:b do not go to the same destination',
    'publish them one after the other',
  ],
  [
    ['docker:a'],
    { to: 'docker://x/a', gpgKey: 'x' },
    '--gpg-key means nothing for docker:a',
    'leave it out: it goes with template, ramdisk, qcow2, raw, vmdk, ova',
  ],
  [
    ['template:a'],
    { to: 'images', tag: ['x'] },
    '--tag means nothing for template:a',
    'leave it out: it goes with docker, container-disk',
  ],
  [
    ['qcow2:a'],
    { to: 'glance:' },
    'qcow2:a cannot be published to glance:',
    'add --to DIR, the folder its files are fetched from',
  ],
  [
    ['openstack:a'],
    { to: 'images' },
    'openstack:a cannot be published to images',
    'add --to glance: or --to glance:CLOUD; `img export` writes the files to a folder',
  ],
  [
    ['vagrant:a'],
    { to: 'docker://x/a' },
    'vagrant:a cannot be published to docker://x/a',
    'add --to DIR, the folder of the boxes and their catalog',
  ],
  [
    ['vagrant:a'],
    { to: 'boxes', keep: 3 },
    '--keep means nothing for vagrant:a',
    'leave it out: it goes with template, openstack, ramdisk, qcow2, raw, vmdk, ova',
  ],
  [
    ['template:a', 'puppet:b'],
    { to: 'images' },
    'puppet:b is no target that can be published',
    'name one made by template, docker, container-disk, vagrant, openstack, ramdisk, qcow2, raw, vmdk, ova of imgfile/targets',
  ],
] as const)('%j with %j is refused', (...[names, options, message, hint]) => {
  expect(choose(names, options)).toMatchObject({ code: 'USAGE', message, fields: { hint } })
})
