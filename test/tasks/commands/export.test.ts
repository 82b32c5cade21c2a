import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeExport } from '../../../tasks/commands/export.ts'
import { fakeCall, fakeLayerDisks } from '../../rig/layer-disks.ts'
import { testContext } from '../../rig/run-context.ts'

const extensions = 'end the file name in one of .raw, .img, .qcow2'
const refused = [
  { file: 'a.vmdk', options: {}, message: 'there is no disk format for .vmdk', hint: extensions },
  { file: 'a', options: {}, message: 'a has no extension to tell the format by', hint: extensions },
  {
    file: 'a.raw',
    options: { compress: true },
    message: '--compress goes with a qcow2 file, not with a.raw',
    hint: 'write to a.qcow2, or leave --compress out',
  },
]

describe('export', () => {
  it('writes the file and says how big it is', async () => {
    expect(await exportTo('new.raw')).toEqual(['new.raw: 1.0 MiB, 1.0 MiB on disk\n'])
  })

  it('replaces a file only when told', async () => {
    await expect(exportTo('old.raw', { force: true })).resolves.toHaveLength(1)
    await expect(exportTo('old.raw')).rejects.toMatchObject({
      code: 'USAGE',
      message: 'old.raw is there already',
      fields: { hint: 'add --force to replace it' },
    })
  })

  it.each(refused)(
    'refuses $file $options before it builds anything',
    async ({ file, options, message, hint }) => {
      const context = testContext()
      const { open } = fakeLayerDisks({ disk: () => Promise.reject(new Error('built')) })
      const call = fakeCall({ args: ['role:a', file], options, cwd: context.root })
      await expect(makeExport(open).run(call, context)).rejects.toMatchObject({
        code: 'USAGE',
        message,
        fields: { hint },
      })
      expect(existsSync(join(context.root, file))).toBe(false)
    },
  )
})

/** What was printed. */
async function exportTo(file: string, options: Readonly<Record<string, unknown>> = {}): Promise<unknown[]> {
  const context = testContext()
  const disk = join(context.root, 'disk')
  writeFileSync(disk, Buffer.alloc(1024 * 1024, 1))
  const to = join(context.root, file)
  if (file === 'old.raw') writeFileSync(to, 'old')
  const { open } = fakeLayerDisks({ disk: () => Promise.resolve(disk) })
  const call = fakeCall({ args: ['role:a', file], options, cwd: context.root })
  expect(await makeExport(open).run(call, context)).toBe(0)
  expect(readFileSync(to).equals(readFileSync(disk))).toBe(true)
  return call.printed
}
