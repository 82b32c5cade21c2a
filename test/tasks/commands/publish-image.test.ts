import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makePublish } from '../../../tasks/commands/publish.ts'
import { type FakeRegistryOptions, startFakeRegistry } from '../../rig/fake-registry.ts'
import { fakeCall } from '../../rig/layer-disks.ts'
import { testContext } from '../../rig/run-context.ts'
import { expectSchema } from '../../rig/schema.ts'
import { freePort } from '../../rig/server.ts'
import { tempFolder } from '../../rig/temp-folder.ts'
import { type Content, contentOf, imageLayout, keyOf } from '../../rig/target-content.ts'

const base = Buffer.alloc(3_000_000, 'base')
const layouts: Readonly<Record<string, Content>> = {
  'docker:one': imageLayout([base, Buffer.from('one')]),
  'docker:two': imageLayout([base, Buffer.from('two')]),
  'docker:three': imageLayout([base, Buffer.from('three')]),
}

const context = testContext
const open = contentOf((name) => layouts[name]!)
const run = async (
  layer: string,
  options: Readonly<Record<string, unknown>>,
  own = context(),
): Promise<unknown> => {
  const call = fakeCall({ args: [layer], options, cwd: own.root, json: options['json'] !== false })
  expect(await makePublish(open).run(call, own)).toBe(0)
  expect(readdirSync(join(own.cacheDir, 'work'))).toEqual([])
  if (call.json) expectSchema('publish', call.printed[0])
  return call.printed[0]
}

const manifestOf = (layer: string): string => {
  const { manifests } = JSON.parse(String(layouts[layer]!['index.json'])) as {
    readonly manifests: readonly { readonly digest: string }[]
  }
  return manifests[0]!.digest
}

const configSize = (layer: string): number => {
  const text = String(layouts[layer]![`blobs/sha256/${manifestOf(layer).slice(7)}`])
  return (JSON.parse(text) as { readonly config: { readonly size: number } }).config.size
}

const keyTag = (layer: string): string => `key-${keyOf(layouts[layer]!).slice(0, 12)}`

test('an image is pushed under revision, key and tags, and another one only with what it does not share', async () => {
  const registry = await startFakeRegistry({ page: 2 })
  const to = `docker://${registry.host}/team/web`
  const published = async (layer: string, tag?: readonly string[]): Promise<unknown> =>
    run(layer, { to, ...(tag && { tag }) })
  const answer = (layer: string, over: object): object => ({
    to,
    published: [{ layer, digest: manifestOf(layer), ...over }],
  })
  const [one, two] = ['docker:one', 'docker:two'].map((layer) => configSize(layer) + 3) as [number, number]

  expect(await published('docker:one', ['latest'])).toEqual(
    answer('docker:one', {
      status: 'new',
      revision: 1,
      tags: [keyTag('docker:one'), 'r1', 'latest'],
      sent: base.length + one,
      there: 0,
    }),
  )
  // Blobs first: a manifest never names one that is not there.
  expect(
    registry.requests.findIndex((request) => request.includes('PUT /v2/team/web/manifests/')),
  ).toBeGreaterThan(registry.requests.findLastIndex((request) => request.includes('/blobs/')))
  expect(await published('docker:two')).toEqual(
    answer('docker:two', {
      status: 'changed',
      revision: 2,
      tags: [keyTag('docker:two'), 'r2'],
      sent: two,
      there: base.length,
    }),
  )
  registry.requests.length = 0
  expect(await published('docker:two')).toMatchObject({
    published: [{ status: 'unchanged', revision: 2, sent: 0 }],
  })
  expect(registry.requests.filter((request) => !/^(?:GET|HEAD) /.test(request))).toEqual([])
  expect(await published('docker:two', ['latest'])).toMatchObject({
    published: [{ status: 'tagged', sent: 0 }],
  })
  expect(registry.manifests.get('team/web latest')).toEqual(registry.manifests.get('team/web r2'))
  expect(await published('docker:one')).toMatchObject({
    published: [{ status: 'changed', revision: 3, sent: 0 }],
  })
})

test('another repository of the registry takes over what it has, where it may', async () => {
  const refused = await startFakeRegistry({ mounts: false })
  const registry = await startFakeRegistry()
  for (const { host } of [registry, refused]) await run('docker:one', { to: `docker://${host}/team/one` })
  expect(await run('docker:two', { to: `docker://${registry.host}/team/two` })).toMatchObject({
    published: [{ there: base.length }],
  })
  expect(await run('docker:two', { to: `docker://${refused.host}/team/two` })).toMatchObject({
    published: [{ there: 0 }],
  })
})

test('people read what was uploaded, and what to pull', async () => {
  const registry = await startFakeRegistry()
  const to = `docker://${registry.host}/web`
  const printed = await run('docker:three', { to, tag: ['latest'], json: false })
  const place = `${registry.host}/web`
  expect(printed).toBe(
    `docker:three  revision 1  new  2.9 MiB uploaded, 0 B there already\n${place}@${manifestOf('docker:three')}\n` +
      `${place}:${keyTag('docker:three')}\n${place}:r1\n${place}:latest\n`,
  )
})

test('a registry is logged into by the environment or by the file of docker and podman', async () => {
  const registry = await startFakeRegistry({ login: 'ci:secret' })
  const to = `docker://${registry.host}/web`
  const env = { IMG_REGISTRY_USER: 'ci', IMG_REGISTRY_PASSWORD: 'secret' }
  expect(await run('docker:one', { to }, context({ env }))).toMatchObject({ published: [{ status: 'new' }] })
  const auths = { [registry.host]: { auth: Buffer.from('ci:secret').toString('base64') } }
  const file = join(tempFolder({ 'auth.json': JSON.stringify({ auths }) }), 'auth.json')
  const known = context({ env: { REGISTRY_AUTH_FILE: file } })
  expect(await run('docker:one', { to }, known)).toMatchObject({ published: [{ status: 'unchanged' }] })
  const error = await refusal('docker:one', { to })
  expect(error).toMatchObject({
    code: 'REMOTE_FAILED',
    message: `cannot push docker:one to ${to}: http://${registry.host}/v2/web/tags/list refuses (HTTP 401)`,
    fields: {
      layer: 'docker:one',
      hint: 'log in with `docker login` or `podman login`, or set IMG_REGISTRY_USER and IMG_REGISTRY_PASSWORD',
    },
  })
})

const refusal = (
  layer: string,
  options: Readonly<Record<string, unknown>>,
  own = context(),
): Promise<unknown> =>
  run(layer, options, own).then(
    () => expect.unreachable('it was published'),
    (error: unknown) => error,
  )

const later = 'try again later: what was uploaded so far is not uploaded again'

test.each<[string, FakeRegistryOptions['answer'], string]>([
  [
    'takes no upload',
    ({ method }, response) => method === 'POST' && response.writeHead(404).end() !== undefined,
    'http://HOST/v2/web/blobs/uploads/ opens no upload (HTTP 404)',
  ],
  [
    'is overloaded',
    (_, response) => response.writeHead(503).end() !== undefined,
    'http://HOST/v2/web/tags/list answers HTTP 503',
  ],
  [
    'sends no list',
    (_, response) => response.writeHead(200).end('<html>') !== undefined,
    'http://HOST/v2/web/tags/list sends no list of tags',
  ],
  [
    'takes no manifest',
    ({ method, url }, response) =>
      method === 'PUT' && url!.includes('/manifests/') && response.writeHead(400).end() !== undefined,
    `http://HOST/v2/web/manifests/${keyTag('docker:one')} takes no manifest (HTTP 400)`,
  ],
])('a registry that %s is a failure with the next step', async (_, answer, message) => {
  const { host } = await startFakeRegistry(answer === undefined ? {} : { answer })
  const to = `docker://${host}/web`
  expect(await refusal('docker:one', { to })).toMatchObject({
    code: 'REMOTE_FAILED',
    message: `cannot push docker:one to ${to}: ${message.replace('HOST', host)}`,
    fields: { layer: 'docker:one', hint: later },
  })
})

test('nobody there is said at once', async () => {
  const host = `127.0.0.1:${await freePort()}`
  expect(await refusal('docker:one', { to: `docker://${host}/web` })).toMatchObject({
    code: 'REMOTE_FAILED',
    message: `cannot push docker:one to docker://${host}/web: http://${host}/v2/web/tags/list cannot be reached: connect ECONNREFUSED ${host}`,
    fields: { layer: 'docker:one', hint: later },
  })
})

test.each([
  'docker://127.0.0.1:5000',
  'docker://127.0.0.1:5000/',
  'docker://127.0.0.1:5000/web:latest',
  'docker://registry.example.org/Web',
  'docker:registry.example.org/web',
  'docker://user:password@registry.example.org/web',
])('%s is no place for an image', async (to) => {
  expect(await refusal('docker:one', { to })).toMatchObject({
    code: 'USAGE',
    message: `${to} is no repository of a registry`,
    fields: {
      found: to,
      hint: 'write docker://HOST[:PORT]/REPOSITORY in small letters, without tag: that is --tag',
    },
  })
})
