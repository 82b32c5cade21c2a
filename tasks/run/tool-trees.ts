// Unpacked tool trees, by content: one folder serves every layer and project that runs its tools from that tree.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { withKeyLock } from '../../cache/locks.ts'
import type { Store } from '../../cache/store.ts'
import { unpackTools } from '../backends/tool-tree.ts'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import { type TreeLocks, treePath } from './tree-locks.ts'
import { openWorkspace } from './workspace.ts'

/** Folder of the tree a tool layer's record names, restored and unpacked when it is not there; nobody removes it meanwhile. */
export async function unpackedTools(
  key: string,
  { store, locks }: { readonly store: Store; readonly locks: TreeLocks },
  context: RunContext,
): Promise<string> {
  const found = await store.find(key)
  const archive = found.hit ? found.record.artifact['root.tar'] : undefined
  if (!found.hit || archive === undefined) {
    throw new ImgError('RECORD_MISSING', `the tool tree ${key.slice(0, 12)} is not in the cache any more`, {
      hint: 'run the command again; it is built anew',
    })
  }
  const folder = treePath(context.cacheDir, found.record.treeDigest)
  await locks.hold(context.cacheDir, found.record.treeDigest)
  if (existsSync(folder)) return folder
  return withKeyLock(
    { folder: join(context.cacheDir, 'locks'), key: `tools:${found.record.treeDigest}` },
    {},
    async () => {
      if (existsSync(folder)) return folder
      const workspace = await openWorkspace(context.cacheDir)
      try {
        const tar = join(workspace.path, 'root.tar')
        await store.restore(archive, tar)
        await unpackTools(tar, folder, context)
      } finally {
        await workspace.remove()
      }
      return folder
    },
  )
}
