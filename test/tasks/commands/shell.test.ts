import { describe, expect, it } from 'vitest'
import { makeShell } from '../../../tasks/commands/shell.ts'
import { missingTools } from '../../../tasks/run/tools.ts'
import { fakeCall, fakeLayerDisks } from '../../rig/layer-disks.ts'
import { testContext } from '../../rig/run-context.ts'

const instead = { layer: 'role:a', hint: 'boot it instead: `img run role:a --ssh`' }
const call = fakeCall({ args: ['role:a'] })

describe.skipIf(missingTools(['setpriv', 'unshare', 'mount']).length > 0)('shell', () => {
  it('mounts no disk without root', async () => {
    const { open } = fakeLayerDisks()
    await expect(makeShell(open).run(call, testContext({ uid: 1000 }))).rejects.toMatchObject({
      code: 'BACKEND_UNAVAILABLE',
      message: 'mounting the disk of role:a needs root',
      fields: instead,
    })
  })

  it('mounts no disk of strangers', async () => {
    const { open } = fakeLayerDisks({ isForeign: () => true })
    await expect(makeShell(open).run(call, testContext({ uid: 0 }))).rejects.toMatchObject({
      code: 'BACKEND_UNAVAILABLE',
      message:
        "role:a began as somebody's template, and this machine's kernel does not mount what others made",
      fields: instead,
    })
  })
})
