import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeExport } from '../../../tasks/commands/export.ts'
import { fakeCall, fakeLayerDisks } from '../../rig/layer-disks.ts'
import { testContext } from '../../rig/run-context.ts'
import { expectSchema } from '../../rig/schema.ts'

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

  it('says the same to programs', async () => {
    const [printed] = await exportTo('new.raw', {}, true)
    expect(printed).toEqual({
      layer: 'role:a',
      file: 'new.raw',
      format: 'raw',
      digest: 'digest of role:a',
      size: 2 ** 20,
      allocated: 2 ** 20,
    })
    expectSchema('export', printed)
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

describe("a target's files", () => {
  const files = { 'disk.qcow2': 3, 'more/SHA256SUMS': 2048 }

  it('go into a folder', async () => {
    const { call, run, out } = targetExport(restore)
    expect(await run()).toBe(0)
    expect(call.printed).toEqual(['out/disk.qcow2       3 B\nout/more/SHA256SUMS  2.0 KiB\n'])
    expect(readFileSync(join(out, 'more/SHA256SUMS'), 'utf8')).toBe('content of more/SHA256SUMS')
  })

  it('are named to programs with their sizes', async () => {
    const { call, run } = targetExport(restore)
    await run({}, true)
    expect(call.printed).toEqual([{ layer: 'qcow2:a', folder: 'out', files }])
    expectSchema('export', call.printed[0])
  })

  it('replace another folder only when told, and all at once', async () => {
    const { call, run, out } = targetExport(restore)
    mkdirSync(out)
    writeFileSync(join(out, 'old'), '')
    await expect(run()).rejects.toMatchObject({ code: 'USAGE', message: 'out is there already' })
    expect(await run({ force: true })).toBe(0)
    expect(readdirSync(out).toSorted()).toEqual(['disk.qcow2', 'more'])
    expect(readdirSync(call.cwd)).toEqual(['out'])
  })

  it('leave nothing behind when one cannot be restored', async () => {
    const { call, run } = targetExport(() => Promise.reject(new Error('lost')))
    await expect(run()).rejects.toThrow('lost')
    expect(readdirSync(call.cwd)).toEqual([])
  })

  it('are not compressed on the way', async () => {
    const { run } = targetExport(restore)
    await expect(run({ compress: true })).rejects.toMatchObject({
      code: 'USAGE',
      message: '--compress goes with a qcow2 file, and qcow2:a is a target',
      fields: { hint: 'leave --compress out: what a target compresses stands in the imgfile' },
    })
  })

  function targetExport(restoring: typeof restore): {
    call: ReturnType<typeof fakeCall>
    run: (options?: Readonly<Record<string, unknown>>, json?: boolean) => Promise<number>
    out: string
  } {
    const context = testContext()
    const { open } = fakeLayerDisks({
      isTarget: () => true,
      files: () => Promise.resolve(files),
      restore: restoring,
    })
    const call = fakeCall({ args: ['qcow2:a', 'out'], cwd: context.root })
    const run = (options = {}, json = false): Promise<number> =>
      makeExport(open).run({ ...call, options, json }, context)
    return { call, run, out: join(context.root, 'out') }
  }
})

/** What was printed. */
async function exportTo(
  file: string,
  options: Readonly<Record<string, unknown>> = {},
  json = false,
): Promise<unknown[]> {
  const context = testContext()
  const disk = join(context.root, 'disk')
  writeFileSync(disk, Buffer.alloc(1024 * 1024, 1))
  const to = join(context.root, file)
  if (file === 'old.raw') writeFileSync(to, 'old')
  const { open } = fakeLayerDisks({ disk: () => Promise.resolve(disk) })
  const call = fakeCall({ args: ['role:a', file], options, cwd: context.root, json })
  expect(await makeExport(open).run(call, context)).toBe(0)
  expect(readFileSync(to).equals(readFileSync(disk))).toBe(true)
  return call.printed
}

const restore = (_layer: string, name: string, to: string): Promise<void> =>
  Promise.resolve(writeFileSync(to, `content of ${name}`))
