import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { inputArchive, partitionDevices, stagedInputs } from '../../../tasks/backends/libguestfs-disks.ts'
import type { Build } from '../../../tasks/backends/namespace-build.ts'
import { makeFolders } from '../../../tasks/backends/namespace-mounts.ts'
import { runProgram } from '../../../tasks/run/process.ts'
import { tempFolder } from '../../rig/temp-folder.ts'
import { testContext } from '../../rig/run-context.ts'

/** A build whose programs run on this machine as they are. */
function plainBuild(work: string): Build {
  mkdirSync(work, { recursive: true })
  return {
    work: { layer: 'base:a', directory: work, log: join(work, 'log') } as Build['work'],
    context: testContext(),
    session: { run: (argv: readonly string[]) => runProgram(argv) } as unknown as Build['session'],
    folders: makeFolders(work),
    epoch: 0,
    cut: 0,
  }
}

const listed = async (archive: string | undefined): Promise<readonly string[]> =>
  (await runProgram(['tar', '--list', '--file', archive ?? ''])).stdout.trim().split('\n')

test('an archive has each input in a folder of its own, links as they are', async () => {
  const folder = tempFolder({ 'in/first/file': '1', 'in/second': '2' })
  const build = plainBuild(join(folder, 'work'))
  const archive = await inputArchive(build, [
    ['0.files', join(folder, 'in/first')],
    ['1.file', join(folder, 'in/second')],
  ])
  expect(await listed(archive)).toEqual(['0/', '0/file', '1'])
})

test('what steps before a sysprep were given is not in the archive of those after it', async () => {
  const folder = tempFolder({ 'in/before/old': '1', 'in/after/new': '2' })
  const build = plainBuild(join(folder, 'work'))
  await inputArchive(build, [['0.files', join(folder, 'in/before')]])
  expect(await listed(await inputArchive(build, [['1.files', join(folder, 'in/after')]]))).toEqual([
    '0/',
    '0/new',
  ])
})

test('no inputs, no archive', async () => {
  expect(await inputArchive(plainBuild(join(tempFolder(), 'work')), [])).toBeUndefined()
})

test('inputs are those of the steps, each once, and not what is run here', () => {
  const copy = { do: 'copy', input: '0.files', to: '/srv' } as const
  const script = { do: 'script', input: '1.script' } as const
  const inputs = { '0.files': '/in/0', '1.script': '/in/1', '2.files': '/in/2' }
  expect(stagedInputs([copy, script, copy], inputs)).toEqual([['0.files', '/in/0']])
})

test("partitions are those of the image's disk, whichever the kernel found first", async () => {
  const root = tempFolder({
    'dev/sda': '',
    'dev/sdb': '',
    'sys/class/block/sda1/start': '2048\n',
    'sys/class/block/sdb1/start': '2048\n',
    'sys/class/block/sdb2/start': '34816\n',
  })
  mkdirSync(join(root, 'dev/disk/guestfs'), { recursive: true })
  symlinkSync('../../sdb', join(root, 'dev/disk/guestfs/image'))
  const devices = await partitionDevices(plainBuild(join(root, 'work')), '/dev/disk/guestfs/image', root)
  expect([...devices]).toEqual([
    [1_048_576, '/dev/sdb1'],
    [17_825_792, '/dev/sdb2'],
  ])
})
