import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runImage, type RunOptions } from '../../../tasks/backends/run-image.ts'
import { findProgram } from '../../../tasks/run/find-program.ts'
import { testContext } from '../../rig/run-context.ts'

const options: RunOptions = { layer: 'role:a', firmware: 'bios', memory: 128, cpus: 1, outside: false }

const keys = [
  {
    name: 'missing.pub',
    content: undefined,
    error: { code: 'INPUT_MISSING', message: 'cannot read the public key FILE' },
    hint: 'give the file of a public key, such as ~/.ssh/id_ed25519.pub',
  },
  {
    name: 'key',
    content: '-----BEGIN OPENSSH PRIVATE KEY-----\n',
    error: { code: 'INPUT_INVALID', message: 'FILE holds no public key of ssh' },
    hint: 'give the file that ends in .pub',
  },
]

describe.skipIf(findProgram('qemu-img') === undefined)('runImage', () => {
  it.each(keys)(
    'refuses $name as a public key and leaves nothing behind',
    async ({ name, content, error, hint }) => {
      const context = testContext({ env: { IMG_ACCEL: 'tcg' } })
      const disk = join(context.root, 'disk.raw')
      writeFileSync(disk, Buffer.alloc(1024 * 1024))
      const keyFile = join(context.root, name)
      if (content !== undefined) writeFileSync(keyFile, content)
      await expect(
        runImage(disk, { ...options, ssh: { user: 'root', keyFile } }, context),
      ).rejects.toMatchObject({
        code: error.code,
        message: error.message.replace('FILE', keyFile),
        fields: { hint, path: keyFile },
      })
      expect(readdirSync(join(context.cacheDir, 'work'))).toEqual([])
      expect(existsSync(disk)).toBe(true)
    },
  )
})
