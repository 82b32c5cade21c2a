import { closeSync, ftruncateSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ImgError } from '../../../tasks/errors.ts'
import { secretForms } from '../../../tasks/run/secret-forms.ts'
import { refuseSecrets } from '../../../tasks/run/secret-scan.ts'
import { renderOverlay } from '../../rig/overlay.ts'
import { testContext } from '../../rig/run-context.ts'

const value = 'correct horse battery staple'
const secrets = [{ name: 'vault', forms: secretForms(Buffer.from(value)) }]

/** A file of 64 MiB that holds nothing but the text. */
function makeDisk(text: string, offset: number): string {
  const path = join(testContext().root, 'disk.raw')
  const file = openSync(path, 'w')
  ftruncateSync(file, 64 * 1024 * 1024)
  writeSync(file, text, offset)
  closeSync(file)
  return path
}

describe('refuseSecrets', () => {
  it.each([
    ['in plain', value],
    ['in hex', Buffer.from(value).toString('hex')],
    ['in base64', `c${Buffer.from(value).toString('base64')}`],
  ])('finds one %s, at the border of two windows as well', async (_, text) => {
    const border = 4 * 1024 * 1024
    for (const offset of [0, border - 10, border, 9 * border + 4095]) {
      const error = await refuseSecrets({ 'disk.raw': makeDisk(text, offset) }, secrets, 'role:web').catch(
        (thrown: unknown) => thrown,
      )
      expect((error as ImgError).code).toBe('SECRET_LEAKED')
      expect((error as ImgError).message).toMatch(
        /^layer role:web: the secret vault is on disk\.raw, at byte \d+$/,
      )
      const found = Number(/\d+$/.exec((error as ImgError).message)?.[0])
      expect(found - offset).toBeGreaterThanOrEqual(0)
      expect(found - offset).toBeLessThanOrEqual(1)
    }
  })

  it('says what to do', async () => {
    await expect(
      refuseSecrets({ 'disk.raw': makeDisk(value, 512) }, secrets, 'role:web'),
    ).rejects.toMatchObject({
      code: 'SECRET_LEAKED',
      message: 'layer role:web: the secret vault is on disk.raw, at byte 512',
      fields: {
        layer: 'role:web',
        hint: 'nothing was recorded; see which program keeps it (a log, a configuration file, a cache), and change the secret',
      },
    })
  })

  it('finds one in an overlay, where two of its clusters lie in another order than on the disk', async () => {
    const path = join(testContext().root, 'disk.qcow2')
    const cluster = 65_536
    const [head, tail] = [Buffer.alloc(cluster), Buffer.alloc(cluster)]
    head.write(value.slice(0, 10), cluster - 10)
    tail.write(value.slice(10))
    const bytes = renderOverlay(1024 * cluster, [
      { offset: 3 * cluster, data: tail },
      { offset: 2 * cluster, data: head },
    ])
    writeFileSync(path, bytes)
    const parent = { size: 0, diskDigest: '', mapDigest: '', packs: [], dataBytes: 0, addedBytes: 0 }
    await expect(
      refuseSecrets({ 'disk.raw': { overlay: path, parent } }, secrets, 'role:web'),
    ).rejects.toMatchObject({
      message: `layer role:web: the secret vault is on disk.raw, at byte ${3 * cluster - 10}`,
    })
  })

  it('lets pass what holds none', async () => {
    const other = { 'disk.raw': makeDisk('correct horse', 512) }
    await expect(refuseSecrets(other, secrets, 'role:web')).resolves.toBeUndefined()
    const same = { 'disk.raw': makeDisk(value, 512) }
    await expect(refuseSecrets(same, [], 'role:web')).resolves.toBeUndefined()
  })
})
