// Who is in the store: one locked file each. The lock ends with its process, so a lease never has to be cleared by hand
// and no clock is involved: what is condemned waits for those who were there before, and for nobody else.

import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { openLock, tryLock } from './locks.ts'
import type { StoreDir } from './store-dir.ts'
import { listFolder } from './tidy.ts'

export interface Lease {
  readonly id: string
  end(): Promise<void>
}

export async function takeLease(at: StoreDir): Promise<Lease> {
  const id = randomUUID()
  const path = join(at.leases, id)
  const handle = await openLock(path)
  await tryLock(handle, 'exclusive')
  return {
    id,
    async end() {
      await rm(path, { force: true })
      await handle.close()
    },
  }
}

/** Ids of leases whose processes live; files of dead ones are removed. */
export async function listLeases(at: StoreDir): Promise<readonly string[]> {
  const live: string[] = []
  for (const id of listFolder(at.leases)) {
    const path = join(at.leases, id)
    const handle = await openLock(path)
    try {
      if (await tryLock(handle, 'exclusive')) await rm(path, { force: true })
      else live.push(id)
    } finally {
      await handle.close()
    }
  }
  return live
}
