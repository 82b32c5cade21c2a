import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type OpenstackLogin, openstackLogin } from '../../../cache/destinations/openstack-login.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

type Env = Readonly<Record<string, string>>

const password: Env = {
  OS_AUTH_URL: 'https://cloud.example.org:5000',
  OS_USERNAME: 'ci',
  OS_PASSWORD: 'secret',
  OS_PROJECT_NAME: 'images',
}

const login = (env: Env, cloud = '', cwd = '/nonexistent'): OpenstackLogin =>
  openstackLogin(cloud, { env: { HOME: '/nonexistent', ...env }, cwd })

const project = { name: 'images', domain: { name: 'Default' } }

describe('the environment', () => {
  test('has a name and a password', () => {
    expect(login(password)).toEqual({
      keystone: {
        url: new URL('https://cloud.example.org:5000/v3'),
        request: {
          auth: {
            identity: {
              methods: ['password'],
              password: { user: { name: 'ci', domain: { name: 'Default' }, password: 'secret' } },
            },
            scope: { project },
          },
        },
      },
      endpoint: undefined,
      region: undefined,
      interface: 'public',
    })
  })

  test('may have ids, domains, a region and another endpoint', () => {
    const more = {
      OS_AUTH_URL: 'https://cloud.example.org/identity/v3/',
      OS_USER_ID: 'u1',
      OS_PROJECT_ID: 'p1',
      OS_REGION_NAME: 'north',
      OS_INTERFACE: 'internalURL',
      OS_IMAGE_ENDPOINT_OVERRIDE: 'https://glance.example.org',
    }
    expect(login({ ...password, ...more })).toMatchObject({
      keystone: {
        url: new URL('https://cloud.example.org/identity/v3/'),
        request: {
          auth: {
            identity: { password: { user: { id: 'u1', password: 'secret' } } },
            scope: { project: { id: 'p1' } },
          },
        },
      },
      endpoint: new URL('https://glance.example.org'),
      region: 'north',
      interface: 'internal',
    })
    const domains = { OS_USER_DOMAIN_ID: 'd1', OS_PROJECT_DOMAIN_NAME: 'Two' }
    expect(login({ ...password, ...domains }).keystone?.request).toMatchObject({
      auth: {
        identity: { password: { user: { name: 'ci', domain: { id: 'd1' } } } },
        scope: { project: { name: 'images', domain: { name: 'Two' } } },
      },
    })
  })

  test.each<[string, Env, object]>([
    [
      'an application credential',
      { OS_APPLICATION_CREDENTIAL_ID: 'a1', OS_APPLICATION_CREDENTIAL_SECRET: 's' },
      {
        identity: { methods: ['application_credential'], application_credential: { id: 'a1', secret: 's' } },
      },
    ],
    [
      'one by its name',
      {
        OS_AUTH_TYPE: 'v3applicationcredential',
        OS_APPLICATION_CREDENTIAL_NAME: 'img',
        OS_APPLICATION_CREDENTIAL_SECRET: 's',
        OS_USERNAME: 'ci',
      },
      {
        identity: {
          methods: ['application_credential'],
          application_credential: {
            name: 'img',
            user: { name: 'ci', domain: { name: 'Default' } },
            secret: 's',
          },
        },
      },
    ],
    [
      'a token',
      { OS_AUTH_TYPE: 'token', OS_TOKEN: 't', OS_PROJECT_NAME: 'images' },
      { identity: { methods: ['token'], token: { id: 't' } }, scope: { project } },
    ],
  ])('has %s', (_, env, auth) => {
    const found = login({ OS_AUTH_URL: 'https://cloud.example.org', ...env }).keystone
    expect(found?.request).toEqual({ auth })
  })
})

const clouds = `clouds:
  prod:
    auth: { auth_url: https://cloud.example.org, username: ci, project_name: images }
    region_name: north
`

test('a cloud of clouds.yaml is told by its name, its secret from beside it', () => {
  const folder = tempFolder({
    'clouds.yaml': clouds,
    'secure.yaml': 'clouds: { prod: { auth: { password: secret } } }',
  })
  const own = { OS_CLIENT_CONFIG_FILE: join(folder, 'clouds.yaml') }
  const wanted = login({ ...password, OS_REGION_NAME: 'north' })
  expect(login({}, 'prod', folder)).toEqual({
    ...wanted,
    keystone: { ...wanted.keystone, url: new URL('https://cloud.example.org/v3') },
  })
  expect(login({ ...own, OS_CLOUD: 'prod' })).toEqual(login({}, 'prod', folder))
  const home = tempFolder({
    'openstack/clouds.yaml':
      'clouds: { open: { auth_type: none, image_endpoint_override: http://127.0.0.1:9292 } }',
  })
  expect(login({ XDG_CONFIG_HOME: home }, 'open')).toMatchObject({
    keystone: undefined,
    endpoint: new URL('http://127.0.0.1:9292'),
  })
})

const source = 'source the openrc file of the project, or name a cloud of clouds.yaml: --to glance:CLOUD'

test.each<[Env, string, string]>([
  [{}, 'OS_AUTH_URL is missing', source],
  [{ ...password, OS_PASSWORD: '' }, 'OS_PASSWORD is missing', source],
  [{ ...password, OS_PROJECT_NAME: '' }, 'OS_PROJECT_NAME is missing', source],
  [{ OS_AUTH_TYPE: 'none' }, 'OS_IMAGE_ENDPOINT_OVERRIDE is missing', source],
  [
    { ...password, OS_AUTH_URL: 'cloud.example.org' },
    'OS_AUTH_URL is no address',
    'write it with https:// or http://',
  ],
  [
    { ...password, OS_AUTH_TYPE: 'v3kerberos' },
    'there is no login by OS_AUTH_TYPE v3kerberos',
    'use password, v3applicationcredential, token or none',
  ],
])('%j is refused', (env, message, hint) => {
  expect(() => login(env)).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', message, fields: expect.objectContaining({ hint }) }),
  )
})

const invalid = (message: string, hint: string): Error =>
  expect.objectContaining({
    code: 'OPTION_INVALID',
    message,
    fields: expect.objectContaining({ hint }) as object,
  }) as Error

test('what is wrong with clouds.yaml is said with its place', () => {
  const folder = tempFolder({ 'clouds.yaml': clouds })
  const file = join(folder, 'clouds.yaml')
  expect(() => login({}, 'prod', folder)).toThrow(
    invalid(`password of the cloud prod in ${file} is missing`, source),
  )
  expect(() => login({}, 'test', folder)).toThrow(
    invalid(`there is no cloud test in ${file}`, `write it into ${file}, or set OS_CLIENT_CONFIG_FILE`),
  )
  expect(() => login({}, 'test')).toThrow(
    invalid(
      'there is no cloud test in any clouds.yaml',
      'write it into /nonexistent/.config/openstack/clouds.yaml, or set OS_CLIENT_CONFIG_FILE',
    ),
  )
  const broken = tempFolder({ 'clouds.yaml': '{' })
  expect(() => login({}, 'test', broken)).toThrow(
    invalid(
      `${broken}/clouds.yaml is no list of clouds`,
      'correct its YAML: clouds, and below it a name with auth',
    ),
  )
})
