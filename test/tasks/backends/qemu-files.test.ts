import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeOverlay, prepareFirmware } from '../../../tasks/backends/qemu-files.ts'
import { fakePrograms } from '../../rig/fake-programs.ts'
import { testContext } from '../../rig/run-context.ts'

describe('makeOverlay', () => {
  it('names the format of the disk below: guessing it would let an image name files of the host', async () => {
    const { root } = testContext()
    const { path } = fakePrograms({ 'qemu-img': 'for last; do :; done; echo "$@" > "$last"' })
    const overlay = await makeOverlay('/disks/base.raw', root, { path })
    expect(readFileSync(overlay, 'utf8')).toBe(
      `create -q -f qcow2 -F raw -b /disks/base.raw ${root}/overlay.qcow2\n`,
    )
  })

  it('says what qemu-img said', async () => {
    const { root } = testContext()
    const { path } = fakePrograms({ 'qemu-img': 'echo no space >&2; exit 1' })
    await expect(makeOverlay('/disks/base.raw', root, { path })).rejects.toMatchObject({
      code: 'BACKEND_UNAVAILABLE',
      message: 'cannot make an overlay of /disks/base.raw',
      fields: { hint: 'look at what qemu-img says', output: 'no space\n' },
    })
  })
})

describe('prepareFirmware', () => {
  it('copies the variables, which are written, and takes the first pair that is complete', async () => {
    const { root } = testContext()
    const file = (name: string): string => join(root, name)
    for (const name of ['a.code', 'b.code', 'b.vars']) writeFileSync(file(name), name)
    const pairs = [
      [file('a.code'), file('a.vars')],
      [file('b.code'), file('b.vars')],
    ] as const
    expect(await prepareFirmware('uefi', root, pairs)).toEqual({
      kind: 'uefi',
      code: file('b.code'),
      variables: file('variables.fd'),
    })
    expect(readFileSync(file('variables.fd'), 'utf8')).toBe('b.vars')
  })

  it('needs nothing for BIOS, and says what to install for UEFI', async () => {
    const { root } = testContext()
    expect(await prepareFirmware('bios', root)).toEqual({ kind: 'bios' })
    await expect(prepareFirmware('uefi', root, [['/none/code', '/none/vars']])).rejects.toMatchObject({
      code: 'TOOL_MISSING',
      message: 'no UEFI firmware for virtual machines is installed',
      fields: { hint: 'apt-get install ovmf', validOptions: ['/none/code'] },
    })
  })
})
