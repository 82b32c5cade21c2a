// A blob that is there, is cut short there, or stays so.

import { expect, test } from 'vitest'
import { blobOf, type Publisher, sendBlob } from '../../../cache/remotes/publish-entry.ts'
import { blobName, type Remote } from '../../../cache/remotes/remote.ts'
import { signal } from '../../contract/remote.ts'
import { signingKey } from '../../rig/entry-keys.ts'

const data = Buffer.from('a pack')
const blob = blobOf(data)
const name = blobName(blob.digest)

/** A remote of one blob, and what was done to it. `keeps`: it never writes over what it has. */
function openOne(
  there: Buffer | undefined,
  keeps = false,
): { readonly to: Publisher; readonly done: readonly string[] } {
  let held = there
  const done: string[] = []
  const remote: Remote = {
    name: 'oci://cache.example.org/team',
    read: async () => held,
    has: async (_, __, size) => held !== undefined && (size ?? held.length) === held.length,
    create: async (_, bytes, { replaces }) => {
      done.push(replaces === true ? 'replaces' : 'creates')
      if (held !== undefined && replaces !== true) return 'there'
      if (held === undefined || !keeps) held = bytes
      return 'created'
    },
  }
  const to = { remote, key: signingKey('ci', ['main']).own, project: 'p', namespace: 'main', signal }
  return { to, done }
}

test.each([
  ['is not there is sent', undefined, ['creates']],
  ['is there is not sent', data, []],
  ['is cut short is sent and written over', data.subarray(0, 2), ['creates', 'replaces']],
])('what %s', async (_, there, wanted) => {
  const { to, done } = openOne(there)
  expect(await sendBlob(blob, to)).toBe(wanted.length === 0 ? 0 : data.length)
  expect(done).toEqual(wanted)
  expect(await to.remote.read(name, { signal, limit: 100 })).toEqual(data)
})

test('what stays cut short is said', async () => {
  const { to } = openOne(data.subarray(0, 2), true)
  await expect(sendBlob(blob, to)).rejects.toMatchObject({
    fault: 'answer',
    message: `oci://cache.example.org/team keeps ${name} in another length than its 6 bytes`,
  })
})
