import { writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { openGlance } from '../../../cache/destinations/glance.ts'
import { openSession } from '../../../cache/destinations/openstack-session.ts'
import { publishGlance, type PublishedGlance } from '../../../cache/destinations/publish-glance.ts'
import { targetFiles } from '../../../cache/destinations/target-files.ts'
import { type FakeOpenstack, startFakeOpenstack } from '../../rig/fake-openstack.ts'
import { makeOpenstackImage } from '../../rig/openstack-image.ts'
import { testContext } from '../../rig/run-context.ts'

/** Into a glance that says `saving` to the first looks at an image. */
async function publishSlowly(looks: number): Promise<PublishedGlance> {
  let left = looks
  const cloud = await startFakeOpenstack({
    answer: ({ method, url }, response) => {
      const id = /^\/image\/v2\/images\/([^/?]+)$/.exec(url ?? '')?.[1]
      if (method !== 'GET' || id === undefined || left === 0) return false
      left -= 1
      response.end(JSON.stringify({ ...cloud.images.get(id), status: 'saving' }))
      return true
    },
  })
  return publishTo(cloud)
}

async function publishTo(
  cloud: FakeOpenstack,
  signal: AbortSignal = new AbortController().signal,
): Promise<PublishedGlance> {
  const context = testContext({ signal })
  const endpoint = new URL(`${cloud.url}/image`)
  const login = { keystone: undefined, endpoint, region: undefined, interface: 'public' }
  const made = await makeOpenstackImage('disk')
  const write = (name: string, to: string): Promise<void> => Promise.resolve(writeFileSync(to, made[name]!))
  const files = targetFiles(Object.keys(made), { folder: context.root, write })
  const glance = openGlance(await openSession(login, signal), signal)
  return publishGlance({ files, glance }, { keep: 0, publisher: 'x', pollMs: 0 }, context)
}

test('an image becomes active in its time', async () => {
  expect(await publishSlowly(5)).toMatchObject({ status: 'new' })
})

test('an image that never does is given up', async () => {
  await expect(publishSlowly(Infinity)).rejects.toMatchObject({
    fault: 'answer',
    message: expect.stringMatching(
      /^the image [0-9a-f-]{36} is saving and does not become active$/,
    ) as string,
  })
})

test('an interrupted upload leaves nothing', async () => {
  const interrupt = new AbortController()
  const cloud = await startFakeOpenstack({
    answer: ({ method }) => {
      if (method === 'PUT') interrupt.abort()
      return method === 'PUT'
    },
  })
  await expect(publishTo(cloud, interrupt.signal)).rejects.toMatchObject({ name: 'AbortError' })
  expect(cloud.requests.at(-1)).toMatch(/^DELETE /)
  expect(cloud.images.size).toBe(0)
})
