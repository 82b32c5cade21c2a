import { beforeEach, expect, test } from 'vitest'
import { makePublish } from '../../../tasks/commands/publish.ts'
import {
  type FakeOpenstack,
  type FakeOpenstackOptions,
  startFakeOpenstack,
} from '../../rig/fake-openstack.ts'
import { fakeCall } from '../../rig/layer-disks.ts'
import { makeOpenstackImage } from '../../rig/openstack-image.ts'
import { testContext } from '../../rig/run-context.ts'
import { expectSchema } from '../../rig/schema.ts'
import { freePort } from '../../rig/server.ts'
import { type Content, contentOf, sha256 } from '../../rig/target-content.ts'

let files: Content = {}
let open = contentOf(() => files)
beforeEach(() => {
  open = contentOf(() => files)
})

const day = 24 * 60 * 60_000
const now = Date.parse('2026-11-01T00:00:00Z') + day / 2

interface Run {
  readonly keep?: number
  readonly json?: boolean
  readonly to?: string
}

const publish = async (env: Readonly<Record<string, string>>, run: Run = {}): Promise<unknown> => {
  const { keep, json = true, to = 'glance:' } = run
  const context = testContext({ env, now: () => now })
  const options = { to, ...(keep !== undefined && { keep }) }
  const call = fakeCall({ args: ['openstack:web'], options, json, cwd: context.root })
  expect(await makePublish(open).run(call, context)).toBe(0)
  if (json) expectSchema('publish', call.printed[0])
  const warnings = context.events.filter(({ event }) => event === 'warning')
  return json ? { ...one(call.printed[0]), ...(warnings.length > 0 && { warnings }) } : call.printed[0]
}

const one = (answer: unknown): object => (answer as { readonly published: readonly [object] }).published[0]

const openly = ({ url }: FakeOpenstack): Record<string, string> => ({
  OS_AUTH_TYPE: 'none',
  OS_ENDPOINT: `${url}/image`,
})

const failure = (env: Readonly<Record<string, string>>, run?: Run): Promise<unknown> =>
  publish(env, run).then(
    () => expect.unreachable('it was published'),
    (error: unknown) => error,
  )

const later = 'nothing changed for readers: try again later'

test('an image is shown when it is whole, and then the one before is hidden', async () => {
  const cloud = await startFakeOpenstack()
  files = await makeOpenstackImage('one', 'a'.repeat(64))
  const first = await publish(openly(cloud))
  expect(first).toMatchObject({ layer: 'openstack:web', status: 'new', image: 'web', revision: 1, sent: 3 })
  const { id } = first as { readonly id: string }
  expect(cloud.images.get(id)).toMatchObject({
    name: 'web',
    status: 'active',
    disk_format: 'qcow2',
    container_format: 'bare',
    min_disk: 1,
    min_ram: 512,
    architecture: 'x86_64',
    img_key: 'a'.repeat(64),
    img_name: 'web',
    img_revision: '1',
    os_hidden: false,
  })
  expect(cloud.data.get(id)?.toString()).toBe('one')
  cloud.requests.length = 0
  expect(await publish(openly(cloud))).toMatchObject({ status: 'unchanged', id, revision: 1, sent: 0 })
  expect(cloud.requests.filter((request) => !request.startsWith('GET '))).toEqual([])

  files = await makeOpenstackImage('two')
  const second = (await publish(openly(cloud))) as { readonly id: string }
  expect(second).toMatchObject({ status: 'changed', revision: 2, hidden: [id], removed: [] })
  expect(cloud.requests.filter((request) => !request.startsWith('GET '))).toEqual([
    'POST /image/v2/images',
    `PUT /image/v2/images/${second.id}/file`,
    `PATCH /image/v2/images/${second.id}`,
    `PATCH /image/v2/images/${id}`,
  ])
  expect(cloud.images.get(id)).toMatchObject({ name: 'web-r1', os_hidden: true })
})

test('an image that was there before is shown again instead of uploaded', async () => {
  const cloud = await startFakeOpenstack()
  const [older, newer] = [await makeOpenstackImage('one'), await makeOpenstackImage('two')]
  files = older
  await publish(openly(cloud))
  files = newer
  await publish(openly(cloud))
  files = older
  expect(await publish(openly(cloud))).toMatchObject({ status: 'restored', revision: 3, sent: 0 })
  const shown = [...cloud.images.values()].filter(({ os_hidden: hidden }) => hidden === false)
  expect(shown).toMatchObject([{ name: 'web', img_revision: '3', img_key: sha256('one') }])
})

test('only as many as told are kept, and what glance does not give up is said', async () => {
  const cloud = await startFakeOpenstack()
  const ids: string[] = []
  for (const disk of ['1', '2', '3', '4']) {
    files = await makeOpenstackImage(disk)
    ids.push(((await publish(openly(cloud), { keep: 1 })) as { readonly id: string }).id)
    if (disk === '1') cloud.images.set(ids[0]!, { ...cloud.images.get(ids[0]!)!, protected: true })
  }
  expect([...cloud.images.keys()].toSorted()).toEqual([ids[0]!, ids[2]!, ids[3]!].toSorted())
  files = await makeOpenstackImage('5')
  expect(await publish(openly(cloud), { keep: 1 })).toMatchObject({
    removed: [ids[2]],
    warnings: [
      {
        event: 'warning',
        text: `glance keeps the old image web-r1 (${ids[0]}): it is protected, in use or not ours to remove`,
        hint: 'it is hidden; the next publish tries again',
      },
    ],
  })
})

test('half images go when they are of this cache or a day old, and strangers are left alone', async () => {
  const cloud = await startFakeOpenstack()
  files = await makeOpenstackImage('one')
  await publish(openly(cloud))
  const [{ img_publisher: own }] = [...cloud.images.values()] as unknown as [
    Readonly<Record<string, unknown>>,
  ]
  const image = (id: string, over: object): void => {
    const base = { id, name: 'web', img_key: 'x', img_name: 'web', os_hidden: true, owner: 'project-1' }
    const created = new Date(now - day / 2).toISOString()
    cloud.images.set(id, { status: 'queued', created_at: created, ...base, ...over })
  }
  image('own', { img_publisher: own, status: 'saving' })
  // Glance lists three at a time: the last of these is on a second page.
  for (const id of ['fresh', 'other']) image(id, { img_publisher: 'another' })
  image('old', { img_publisher: 'another', created_at: new Date(now - day - 1).toISOString() })
  image('theirs', { img_key: undefined, img_name: undefined, os_hidden: false, status: 'active' })
  files = await makeOpenstackImage('two')
  expect(await publish(openly(cloud))).toMatchObject({ removed: ['own', 'old'] })
  expect(cloud.images.get('fresh')).toMatchObject({ status: 'queued' })
  expect(cloud.images.get('theirs')).toMatchObject({ name: 'web', os_hidden: false })
})

test('bytes that changed on the way are never shown', async () => {
  const cloud = await startFakeOpenstack({ store: () => Buffer.from('other') })
  files = await makeOpenstackImage('one')
  const sha512 = JSON.parse(String(files['image.json'])) as { readonly os_hash_value: string }
  expect(await failure(openly(cloud))).toMatchObject({
    code: 'REMOTE_FAILED',
    message: 'glance has other bytes than were sent: their sha512 differs',
    fields: {
      wanted: sha512.os_hash_value,
      hint: 'the image was removed, and nothing changed for readers: publish again',
    },
  })
  expect(cloud.images.size).toBe(0)
})

test('people read what happened', async () => {
  const cloud = await startFakeOpenstack()
  files = await makeOpenstackImage('one')
  await publish(openly(cloud))
  files = await makeOpenstackImage('two')
  const printed = await publish(openly(cloud), { keep: 0, json: false })
  const [{ id }] = [...cloud.images.values()] as unknown as [{ readonly id: string }]
  expect(printed).toBe(`openstack:web  revision 2  changed  3 B uploaded, 1 removed\nweb ${id}\n`)
})

const password = ({ url }: FakeOpenstack, word = 'right'): Record<string, string> => ({
  OS_AUTH_URL: `${url}/identity`,
  OS_USERNAME: 'ci',
  OS_PASSWORD: word,
  OS_PROJECT_NAME: 'images',
  OS_REGION_NAME: 'one',
})

test('keystone gives a token, another one when it is refused, and the place of glance', async () => {
  let refused = false
  const cloud: FakeOpenstack = await startFakeOpenstack({
    keystone: true,
    answer: ({ method }) => {
      if (method === 'PUT' && !refused) cloud.tokens.clear()
      refused ||= method === 'PUT'
      return false
    },
  })
  files = await makeOpenstackImage('one')
  expect(await publish(password(cloud))).toMatchObject({ status: 'new' })
  expect([refused, cloud.logins.length]).toEqual([true, 2])
})

test.each<[string, FakeOpenstackOptions, (cloud: FakeOpenstack) => Record<string, string>, string, string]>([
  [
    'a wrong password',
    { keystone: true },
    (cloud) => password(cloud, 'wrong'),
    'URL/identity/v3/auth/tokens refuses (HTTP 401)',
    'check the OS_ variables or clouds.yaml: who logs in must be allowed to create images',
  ],
  [
    'another region',
    { keystone: true },
    (cloud) => ({ ...password(cloud), OS_REGION_NAME: 'two' }),
    'URL/identity/v3 knows no public image service in the region two',
    later,
  ],
  [
    'an image that fails',
    { status: 'killed' },
    openly,
    'the image ID is killed and does not become active',
    later,
  ],
  [
    'a full quota',
    {
      answer: ({ method, url }, response) =>
        method === 'PUT' && url!.endsWith('/file') && response.writeHead(413).end() !== undefined,
    },
    openly,
    'URL/image/v2/images/ID/file answers HTTP 413',
    later,
  ],
  [
    'what is no glance',
    { answer: (_, response) => response.writeHead(200).end('<html>') !== undefined },
    openly,
    'URL/image/v2/images sends no JSON',
    later,
  ],
  [
    'what is no keystone',
    { answer: (_, response) => response.writeHead(200).end('<html>') !== undefined },
    password,
    'URL/identity/v3/auth/tokens gives no token (HTTP 200)',
    later,
  ],
])('%s is a failure with the next step, and leaves nothing', async (...[, options, env, message, hint]) => {
  const cloud = await startFakeOpenstack(options)
  files = await makeOpenstackImage('one')
  const error = (await failure(env(cloud))) as Error
  const id = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(error.message)?.[0] ?? ''
  expect(error).toMatchObject({
    code: 'REMOTE_FAILED',
    message: `cannot publish openstack:web to glance: ${message.replace('URL', cloud.url).replace('ID', id)}`,
    fields: { layer: 'openstack:web', hint },
  })
  expect(cloud.images.size).toBe(0)
})

test('nobody there is said at once', async () => {
  const host = `127.0.0.1:${await freePort()}`
  files = await makeOpenstackImage('one')
  const env = { OS_AUTH_TYPE: 'none', OS_ENDPOINT: `http://${host}/v2/` }
  expect(await failure(env)).toMatchObject({
    code: 'REMOTE_FAILED',
    message: `cannot publish openstack:web to glance: http://${host}/v2/images cannot be reached: connect ECONNREFUSED ${host}`,
    fields: { hint: later },
  })
})
