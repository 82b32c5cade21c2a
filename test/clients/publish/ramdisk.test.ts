// iPXE finds what a published script leads to.

import { expect, test } from 'vitest'
import { networkHost } from '../../../tasks/backends/build-network.ts'
import { serveFiles } from '../../../tasks/backends/serve-files.ts'
import { makePublish } from '../../../tasks/commands/publish.ts'
import { findProgram } from '../../../tasks/run/find-program.ts'
import { makeBootFiles } from '../../rig/boot-files.ts'
import { startGuest } from '../../rig/guest.ts'
import { fakeCall } from '../../rig/layer-disks.ts'
import { testContext } from '../../rig/run-context.ts'
import { contentOf, sha256 } from '../../rig/target-content.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

test.runIf(findProgram('qemu-system-x86_64') !== undefined)(
  'a machine is led to the kernel of its release',
  async () => {
    const dir = tempFolder()
    const files = await makeBootFiles('one')
    const call = fakeCall({ args: ['ramdisk:web'], options: { to: dir } })
    await makePublish(contentOf(() => files)).run(call, testContext())
    const server = await serveFiles(dir)
    const bootFile = `http://${networkHost}:${server.port}/boot.ipxe`
    const { machine } = startGuest({ network: { outside: true, forwards: [], bootFile }, memory: 256 }, '')
    const release = sha256(files['SHA256SUMS']!).slice(0, 16)
    try {
      await expect
        .poll(() => server.asked, { timeout: 120_000 })
        .toEqual(['boot.ipxe', `${release}/boot.ipxe`, `${release}/vmlinuz`])
    } finally {
      await machine.stop()
      await server.close()
    }
  },
)
