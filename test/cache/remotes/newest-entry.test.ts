// Counting builds at a remote that does not tell the truth.

import { expect, test } from 'vitest'
import { announceNewest, findNewest } from '../../../cache/remotes/newest-entry.ts'
import type { EntryReader } from '../../../cache/remotes/find-entry.ts'
import type { Remote } from '../../../cache/remotes/remote.ts'
import { signal } from '../../contract/remote.ts'
import { signingKey } from '../../rig/entry-keys.ts'
import { exampleRecord } from '../../rig/example-record.ts'

const ci = signingKey('ci', ['main'])
const keys = { project: 'project-1', keys: [ci.trusted] }
const place = { layer: 'base:trixie', namespace: 'main' }

const empty: Remote = {
  name: 'https://cache.example.org',
  read: async () => undefined,
  has: async () => false,
  create: async () => 'created',
}

const takesBlobs: Remote['create'] = async (name) => (name.startsWith('records/') ? 'there' : 'created')

const readerOf = (remote: Remote): EntryReader => ({
  remote,
  keys,
  namespaces: ['main'],
  now: () => 0,
  onRefused: () => undefined,
})

const announce = (remote: Remote): Promise<void> => {
  const to = { remote, key: ci.own, project: keys.project, namespace: 'main', signal }
  return announceNewest(exampleRecord({ layer: place.layer }), to, readerOf(remote))
}

test('a remote that has every new thing already is not asked without end', async () => {
  await announce(empty)
  await expect(announce({ ...empty, create: takesBlobs })).rejects.toMatchObject({
    fault: 'answer',
    message: 'https://cache.example.org says of 64 new things that they are there already',
  })
})

test('a remote that has everything anybody asks for is not asked without end', async () => {
  const liar: Remote = { ...empty, has: async () => true }
  const message = 'https://cache.example.org says that base:trixie was announced 1048576 times'
  await expect(announce(liar)).rejects.toMatchObject({ fault: 'answer', message })
  await expect(findNewest(readerOf(liar), place, signal)).rejects.toMatchObject({ fault: 'answer', message })
})

test('an announcement the remote has lost is passed over, and the next one counts', async () => {
  const things = new Map<string, Buffer>()
  const remote: Remote = {
    ...empty,
    read: async (name) => things.get(name),
    has: async (name) => things.has(name),
    create: async (name, data) => {
      if (things.has(name)) return 'there'
      things.set(name, data)
      return 'created'
    },
  }
  await announce(remote)
  const blobs = [...things.keys()].filter((name) => name.startsWith('blobs/'))
  expect(blobs).toHaveLength(1)
  things.delete(blobs[0]!)
  expect(await findNewest(readerOf(remote), place, signal)).toBeUndefined()
  await announce(remote)
  expect([...things.keys()].filter((name) => name.startsWith('records/'))).toHaveLength(2)
  expect([...things.keys()]).toContain(blobs[0])
})
