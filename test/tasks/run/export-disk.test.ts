import { mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { exportDisk } from '../../../tasks/run/export-disk.ts'
import { findProgram } from '../../../tasks/run/find-program.ts'
import { runProgram } from '../../../tasks/run/process.ts'
import { testContext } from '../../rig/run-context.ts'

const size = 8 * 1024 * 1024

function project(): { context: ReturnType<typeof testContext>; disk: string; out: string } {
  const context = testContext()
  const disk = join(context.root, 'disk.raw')
  writeFileSync(disk, Buffer.alloc(4096, 'x'), { mode: 0o400 })
  truncateSync(disk, size)
  const out = join(context.root, 'out')
  mkdirSync(out)
  return { context, disk, out }
}

describe('exportDisk', () => {
  it('copies a raw disk without filling its holes, and lets the copy be written', async () => {
    const { context, disk, out } = project()
    const to = join(out, 'a.raw')
    const written = await exportDisk({ disk, to, format: 'raw', compress: false }, context)
    expect(written.size).toBe(size)
    expect(written.allocated).toBeLessThan(1024 * 1024)
    expect(readFileSync(to).equals(readFileSync(disk))).toBe(true)
    expect(statSync(to).mode & 0o200).toBe(0o200)
    expect(readdirSync(out)).toEqual(['a.raw'])
  })

  it.skipIf(findProgram('qemu-img') === undefined).each([false, true])(
    'converts to qcow2 with the same content (compressed: %s)',
    async (compress) => {
      const { context, disk, out } = project()
      const to = join(out, 'a.qcow2')
      expect(await exportDisk({ disk, to, format: 'qcow2', compress }, context)).toMatchObject({ size })
      const compared = await runProgram(['qemu-img', 'compare', '-f', 'raw', '-F', 'qcow2', disk, to])
      expect(compared.stdout).toBe('Images are identical.\n')
      expect(readdirSync(out)).toEqual(['a.qcow2'])
    },
  )

  it('leaves nothing behind and the old file alone when it cannot write', async () => {
    const { context, disk, out } = project()
    const to = join(out, 'missing', 'a.raw')
    await expect(exportDisk({ disk, to, format: 'raw', compress: false }, context)).rejects.toMatchObject({
      code: 'PERMISSION',
      message: `cannot write ${to}`,
      fields: { hint: 'check that the folder exists and may be written', path: to },
    })
    writeFileSync(join(out, 'old.raw'), 'old')
    const gone = {
      disk: join(out, 'gone'),
      to: join(out, 'old.raw'),
      format: 'raw',
      compress: false,
    } as const
    await expect(exportDisk(gone, context)).rejects.toMatchObject({ code: 'PERMISSION' })
    expect(readFileSync(join(out, 'old.raw'), 'utf8')).toBe('old')
    expect(readdirSync(out)).toEqual(['old.raw'])
  })
})
