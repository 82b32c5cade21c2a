import { describe, expect, test } from 'vitest'
import { puppet, type PuppetOptions } from '../../recipes/puppet.ts'
import { releaseFacts } from '../../recipes/puppet/release-facts.ts'
import { defaultTools } from '../../recipes/tools.ts'
import type { ImgError } from '../../tasks/errors.ts'
import type { Facts } from '../../tasks/plan/recipe.ts'

const options: PuppetOptions = { environment: 'puppet', role: 'ceph-node' }

const compiled = { catalog: { resources: [] }, sources: { '/run/img/sources/d': 'd' }, plugins: 'p' }

const facts: Facts = {
  catalog: () => compiled,
  text: () => {
    throw new Error('no text was declared')
  },
  env: () => {
    throw new Error('no environment value was declared')
  },
}

test('what the engine reads of the recipe', () => {
  const recipe = puppet(options)
  expect(recipe).toEqual({
    steps: expect.any(Function),
    name: 'puppet',
    mode: 'chroot',
    parent: 'required',
    inputs: {
      apt: {
        kind: 'apt',
        suite: 'trixie',
        components: ['main', 'non-free-firmware'],
        updates: true,
        security: true,
      },
      catalog: {
        kind: 'catalog',
        environment: 'puppet',
        node: 'ceph-node.invalid',
        role: 'ceph-node',
        facts: releaseFacts('trixie'),
      },
    },
    tools: defaultTools,
    weight: { memory: 512 },
  })
  expect(recipe.steps(facts)).toEqual([
    { do: 'puppet', ...compiled, input: 'catalog', apt: 'apt', keepAgent: false },
  ])
})

test('a kept agent is installed before it is used', () => {
  expect(puppet({ ...options, keepAgent: true }).steps(facts)).toEqual([
    { do: 'apt', apt: 'apt', install: ['puppet-agent'], remove: [], recommends: false },
    { do: 'puppet', ...compiled, input: 'catalog', apt: 'apt', keepAgent: true },
  ])
})

test('facts of the imgfile come on top of those of the release', () => {
  const { inputs } = puppet({
    ...options,
    suite: 'bookworm',
    node: 'node1.example.org',
    facts: { datacenter: 'oslo', os: { name: 'Other', release: { minor: '7' }, distro: 'none' } },
  })
  expect(inputs['catalog']).toMatchObject({
    node: 'node1.example.org',
    facts: { datacenter: 'oslo', os: { name: 'Other', release: { minor: '7' }, distro: 'none' } },
  })
  expect(inputs['apt']).toMatchObject({ suite: 'bookworm' })
})

describe('the fact os', () => {
  test('of Debian', () => {
    const release = { full: '12', major: '12' }
    expect(releaseFacts('bookworm')).toEqual({
      os: {
        name: 'Debian',
        family: 'Debian',
        distro: { codename: 'bookworm', id: 'Debian', release },
        release,
      },
    })
  })

  test('of Ubuntu', () => {
    expect(releaseFacts('noble')).toMatchObject({
      os: { name: 'Ubuntu', release: { major: '24.04' } },
    })
  })

  test('of a release not known has no version', () => {
    expect(releaseFacts('sid')).toEqual({
      os: { name: 'Debian', family: 'Debian', distro: { codename: 'sid', id: 'Debian' } },
    })
  })
})

const wrong: readonly [object, string][] = [
  [{ role: 'x' }, 'puppet: the option "environment" is missing'],
  [{ environment: 'puppet' }, 'puppet: the option "role" is missing'],
  [{ ...options, enviroment: 'x' }, 'puppet: unknown option "enviroment"'],
  [
    { ...options, environment: '/etc/puppet' },
    'puppet: "environment" is "/etc/puppet", not a folder below the imgfile',
  ],
  [{ ...options, environment: '../x' }, 'puppet: "environment" is "../x", not a folder below the imgfile'],
  [{ ...options, environment: 3 }, 'puppet: "environment" is 3, not a folder'],
  [{ ...options, role: 'Ceph' }, 'puppet: "role" is "Ceph", not a role: lower-case letters, digits, - and _'],
  [
    { ...options, node: '../x' },
    'puppet: "node" is "../x", not a certname: lower-case letters, digits, ., - and _',
  ],
  [{ ...options, suite: 'Trixie' }, 'puppet: "suite" is "Trixie", not the name of a release'],
  [{ ...options, keepAgent: 'yes' }, 'puppet: "keepAgent" is "yes", not true or false'],
  [{ ...options, facts: [] }, 'puppet: "facts" is [], not an object'],
  [
    { ...options, facts: { role: 'x' } },
    'puppet: "facts" is {"role":"x"}, which has role, an option of its own',
  ],
  [
    { ...options, facts: { 'a.b': 1 } },
    'puppet: "facts" is {"a.b":1}, where "a.b" is not the name of a fact',
  ],
  [{ ...options, tools: 'tools:trixie' }, 'puppet: "tools" is "tools:trixie", not a layer'],
]

test.each(wrong)('refused: %j', (given, message) => {
  let error: ImgError | undefined
  try {
    puppet(given as PuppetOptions)
  } catch (caught) {
    error = caught as ImgError
  }
  expect(error?.code).toBe('OPTION_INVALID')
  expect(error?.message).toBe(message)
})
