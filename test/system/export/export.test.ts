// Files out of small disks, by the programs of this machine instead of a tool tree's.

import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { exportBackend } from '../../../tasks/backends/export.ts'
import type { Work, WorkResult } from '../../../tasks/backends/backend.ts'
import type { Step } from '../../../tasks/plan/step.ts'
import { testContext } from '../../rig/run-context.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

const programs = ['/usr/bin/setfattr', '/usr/bin/qemu-img', '/sbin/mkfs.ext4', '/sbin/sfdisk']
const canRun = process.getuid?.() === 0 && programs.every((program) => existsSync(program))
const key = '0123456789abcdef'.repeat(4)
const mebibyte = 1024 * 1024

describe.skipIf(!canRun)('export', () => {
  test('the disk is converted, measured and packed, and never written', async () => {
    const { disk, run } = bench()
    const before = readFileSync(disk)
    const result = await run([
      { do: 'convert', to: 'box/disk.vmdk', format: 'vmdk', options: { subformat: 'streamOptimized' } },
      {
        do: 'emit',
        to: 'box/facts.json',
        text: '{"size":{{size box/disk.vmdk}},"bytes":{{disk-bytes}},"arch":"{{machine}}"}',
      },
      { do: 'extract', from: '/boot/vmlinuz-*', to: 'vmlinuz' },
      { do: 'pack', to: 'one.box', files: ['box/facts.json', 'box/disk.vmdk'], compress: 'gzip' },
      { do: 'checksums', to: 'SHA256SUMS', algorithm: 'sha256' },
    ])
    expect(Object.keys(result.files)).toEqual(['vmlinuz', 'one.box', 'SHA256SUMS'])
    expect(readFileSync(result.files['vmlinuz']!, 'utf8')).toBe('6.12.10')
    const out = tempFolder()
    execFileSync('tar', ['-xf', result.files['one.box']!, '-C', out])
    expect(readdirSync(out)).toEqual(['disk.vmdk', 'facts.json'])
    const facts = JSON.parse(readFileSync(join(out, 'facts.json'), 'utf8')) as object
    expect(facts).toEqual({
      size: readFileSync(join(out, 'disk.vmdk')).length,
      bytes: 64 * mebibyte,
      arch: 'x86_64',
    })
    const compared = execFileSync('qemu-img', [
      'compare',
      '-f',
      'raw',
      '-F',
      'vmdk',
      disk,
      join(out, 'disk.vmdk'),
    ])
    expect(compared.toString()).toBe('Images are identical.\n')
    execFileSync('sha256sum', ['--check', '--quiet', 'SHA256SUMS'], { cwd: folderOf(result) })
    expect(readFileSync(disk).equals(before)).toBe(true)
  })

  test('the same files come out twice', async () => {
    const { run } = bench()
    const steps: readonly Step[] = [
      { do: 'convert', to: 'disk.vmdk', format: 'vmdk', options: { subformat: 'streamOptimized' } },
      { do: 'convert', to: 'disk.qcow2', format: 'qcow2', compress: true },
      image,
    ]
    const [one, other] = [await run(steps), await run(steps)]
    expect(other.treeDigest).toBe(one.treeDigest)
    expect(Object.keys(other.files)).toEqual(Object.keys(one.files))
  })

  test('an image has a layer for each disk, with what that one changed', async () => {
    const { run } = bench()
    const result = await run([image])
    const [archive] = JSON.parse(readFileSync(result.files['manifest.json']!, 'utf8')) as {
      Layers: string[]
    }[]
    const [first = [], second = []] = archive!.Layers.map((layer) =>
      execFileSync('tar', ['-tzf', result.files[layer]!]).toString().trimEnd().split('\n'),
    )
    expect(first).toEqual([
      'bin/',
      'bin/one',
      'bin/two',
      'boot/',
      'dev/',
      'etc/',
      'etc/passwd',
      'gone/',
      'gone/file',
      'usr/',
    ])
    // Both names of the file that changed; folders come along when their own date or mode changed.
    expect(second).toEqual(['.wh.gone', 'bin/one', 'bin/two', 'etc/new'])
    const capabilities = execFileSync('sh', [
      '-c',
      'd=$(mktemp -d) && tar --xattrs --xattrs-include="*" -xzf "$1" -C "$d" && getfattr -d -m - --only-values "$d/etc/passwd"; rm -r "$d"',
      'sh',
      result.files[archive!.Layers[0]!]!,
    ])
    expect(capabilities.toString()).toBe('kept')
  })

  test('what the image has not is said', async () => {
    const { run } = bench()
    await expect(
      run([{ do: 'extract', from: '/boot/initrd.img-*', to: 'initrd.img' }]),
    ).rejects.toMatchObject({
      code: 'STEP_FAILED',
      message: 'layer docker:test: the image has no /boot/initrd.img-*',
      fields: { hint: 'see that a layer below the target makes it', layer: 'docker:test' },
    })
    await expect(run([{ do: 'emit', to: 'a', text: '{{size b}}' }])).rejects.toMatchObject({
      code: 'STEP_FAILED',
      message: 'layer docker:test: a step asks for the file b before it is made',
    })
    await expect(run([0, 1].map(() => ({ do: 'emit', to: 'a', text: '' }) as const))).rejects.toMatchObject({
      code: 'STEP_FAILED',
      message: 'layer docker:test: a step makes a twice',
      fields: {
        hint: "this is a mistake in the target's recipe: correct the order or the names of its steps",
      },
    })
  })
})

const image: Step = {
  do: 'oci',
  to: 'image.tar',
  layers: { of: 'chain', exclude: ['boot/', 'dev/'] },
  compress: 'gzip',
  reference: 'test:latest',
  config: {},
}

const folderOf = (result: WorkResult): string => join(result.files['SHA256SUMS']!, '..')

/** A disk, and the one it stands on. */
function bench(): { readonly disk: string; readonly run: (steps: readonly Step[]) => Promise<WorkResult> } {
  const context = testContext()
  const tree = tempFolder({
    'etc/passwd': 'root:x:0:0::/root:/bin/sh\n',
    'bin/one': 'one',
    'gone/file': '',
    'boot/vmlinuz-6.12.9': '6.12.9',
    'boot/vmlinuz-6.12.10': '6.12.10',
    'dev/null': '',
  })
  mkdirSync(join(tree, 'usr'))
  linkSync(join(tree, 'bin/one'), join(tree, 'bin/two'))
  execFileSync('setfattr', ['-n', 'user.test', '-v', 'kept', join(tree, 'etc/passwd')])
  const below = diskOf(tree, join(context.root, 'below.raw'))
  writeFileSync(join(tree, 'etc/new'), '')
  chmodSync(join(tree, 'bin/one'), 0o755)
  rmSync(join(tree, 'gone'), { recursive: true })
  const disk = diskOf(tree, join(context.root, 'disk.raw'))
  let made = 0
  const run = (steps: readonly Step[]): Promise<WorkResult> => {
    made += 1
    const directory = join(context.root, `work-${made}`)
    mkdirSync(directory)
    const log = `${directory}.log`
    writeFileSync(log, '')
    const work: Work = {
      layer: 'docker:test',
      key,
      mode: 'export',
      arch: 'amd64',
      steps,
      parentDisk: disk,
      chain: [below],
      tools: '/',
      inputs: {},
      apt: {},
      directory,
      log,
    }
    return exportBackend().run(work, context)
  }
  return { disk, run }
}

function diskOf(tree: string, file: string): string {
  execFileSync('find', [tree, '-exec', 'touch', '-h', '-d', '@1577836800', '{}', '+'])
  writeFileSync(file, '')
  truncateSync(file, 64 * mebibyte)
  execFileSync('sfdisk', ['--quiet', file], { input: 'label: gpt\nstart=2048, size=126976\n' })
  const offset = `offset=${mebibyte}`
  execFileSync('mkfs.ext4', ['-q', '-F', '-E', offset, '-d', tree, file, '62m'])
  return file
}
