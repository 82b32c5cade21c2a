// A target's files into a folder others read: each is there whole or not at all, and what leads to the others is last.

import { readFile, rm, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { RunContext } from '../../tasks/context.ts'
import { syncPath, writeDurably } from '../durable.ts'
import type { SigningKey } from '../repository/gpg-keys.ts'
import { detachSign } from '../repository/sign.ts'
import { aloneInFolder } from './alone-in-folder.ts'
import { placeFile } from './place-file.ts'
import { planFiles, sumsName } from './plan-files.ts'
import { addRelease, dropReleases, loadReleases, saveReleases } from './releases.ts'
import type { TargetFiles } from './target-files.ts'

export interface FilesOptions {
  readonly dir: string
  readonly layer: string
  /** Signs SHA256SUMS. */
  readonly key: SigningKey | undefined
  /** Replaced releases kept. */
  readonly keep: number
}

export interface PublishedFiles {
  readonly status: 'new' | 'changed' | 'unchanged'
  /** Of the content. */
  readonly release: string
  /** Of the key that signed. */
  readonly signed?: string
  /** Files of old releases. */
  readonly removed: readonly string[]
}

export async function publishFiles(
  files: TargetFiles,
  { dir, layer, key, keep }: FilesOptions,
  context: RunContext,
): Promise<PublishedFiles> {
  const plan = planFiles((await files.read(sumsName)).toString())
  return aloneInFolder(dir, context, async ({ own, tmp }) => {
    const before = await loadReleases(own, layer)
    const last = before.releases.at(-1)
    const list = addRelease(before, { id: plan.id, files: plan.lasting }, context.now())
    // Written down before a file is there, so that none is ever forgotten.
    await saveReleases(list, { own, tmp })
    const place = async (one: (typeof plan.starters)[number]): Promise<void> => {
      const to = join(dir, one.to)
      if ('text' in one) await writeIfOther(to, one.text, tmp)
      else await placeFile(files, one.name, { to, tmp, sha256: one.sha256 })
    }
    for (const file of plan.files) await place(file)
    await syncPath(dir)
    for (const { to, text } of plan.texts) {
      const signature = key && (await detachSign(text, key, context))
      await writeIfOther(join(dir, to), text, tmp)
      if (signature === undefined) await rm(join(dir, `${to}.sig`), { force: true })
      else await writeDurably(join(dir, `${to}.sig`), signature, tmp)
      await syncPath(dir)
    }
    for (const file of plan.starters) await place(file)
    await syncPath(dir)
    const dropped = dropReleases(list, { keep, now: context.now() })
    for (const file of dropped.files) await removeFile(dir, file)
    if (dropped.files.length > 0) await saveReleases(dropped.list, { own, tmp })
    return {
      status: last === undefined ? 'new' : last.id === plan.id ? 'unchanged' : 'changed',
      release: plan.id,
      ...(key === undefined ? {} : { signed: key.fingerprint }),
      removed: dropped.files,
    }
  })
}

async function writeIfOther(path: string, text: string, tmp: string): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => undefined)) !== text) await writeDurably(path, text, tmp)
}

/** And its folder with the last of them. */
async function removeFile(dir: string, file: string): Promise<void> {
  await rm(join(dir, file), { force: true })
  if (dirname(file) !== '.') await rmdir(join(dir, dirname(file))).catch(() => undefined)
}
