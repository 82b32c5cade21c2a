// The namespaces of a build, for as long as something is done in them.

import path from 'node:path'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import type { Work } from './backend.ts'
import { cutOf, explainWrite, type Build } from './namespace-build.ts'
import { makeFolders } from './namespace-mounts.ts'
import { openNamespace } from './namespace-session.ts'
import { openOverlayDisk, type OverlayDisk } from './overlay-disk.ts'

/**
 * On an overlay where `work` takes one. Whatever happens, its processes and mounts are gone afterwards. A write of our own
 * that found no space is DISK_FULL.
 */
export async function withBuild<T>(
  work: Work,
  context: RunContext,
  run: (build: Build, overlay: OverlayDisk | undefined) => Promise<T>,
): Promise<T> {
  const folders = makeFolders(work.directory)
  const overlay = await openOverlayDisk(work)
  try {
    const session = await openNamespace({
      directory: path.join(folders.work, 'mounts'),
      userNamespace: context.uid !== 0,
      ...(overlay === undefined ? {} : { mountsOf: overlay.pid }),
      signal: context.signal,
      log: work.log,
    })
    let isLost = false
    overlay?.onLost(() => {
      isLost = true
      void session.close()
    })
    const epoch = work.steps.find((step) => step.do === 'seal')?.epoch ?? 0
    try {
      return await run({ work, context, session, folders, epoch, cut: cutOf(work, context) }, overlay)
    } catch (error) {
      throw isLost ? overlayLost(work, error) : error
    } finally {
      await session.close()
    }
  } catch (error) {
    throw explainWrite(work, error)
  } finally {
    await overlay?.end()
  }
}

/** Nothing can be read or written any more, and what a step says of that helps nobody. */
const overlayLost = ({ layer }: Work, cause: unknown): ImgError =>
  new ImgError('STEP_FAILED', `layer ${layer}: qemu-storage-daemon, which shows the disk, was killed`, {
    layer,
    hint: 'build again; if it is killed again, see the kernel log for a lack of memory',
    cause,
  })
