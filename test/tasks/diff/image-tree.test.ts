import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openImage } from '../../../tasks/diff/image-tree.ts'
import { makeExt4 } from '../../rig/ext4-image.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

/** The first 16 bytes of a qcow2 file, with the place of a backing file's name. */
function qcow2Head(backingAt: number): Buffer {
  const head = Buffer.alloc(112)
  head.write('QFI\u00fb', 'latin1')
  head.writeUInt32BE(3, 4)
  head.writeBigUInt64BE(BigInt(backingAt), 8)
  return head
}

test('an overlay of another image is refused: alone it would be read as holes', () => {
  const path = join(tempFolder({ 'disk.qcow2': qcow2Head(112) }), 'disk.qcow2')
  expect(() => openImage(path)).toThrow(
    expect.objectContaining({
      code: 'INPUT_INVALID',
      message: `${path} is an overlay, and holds only what differs from another image`,
      fields: { path, hint: `make it whole: qemu-img convert -O raw ${path} disk.raw` },
    }),
  )
})

test('what holds no root is said, with what to do', () => {
  const path = join(tempFolder({ 'disk.raw': Buffer.alloc(4096) }), 'disk.raw')
  expect(() => openImage(path)).toThrow(
    expect.objectContaining({
      code: 'INPUT_INVALID',
      message: `${path} holds no ext4 filesystem with a root in it`,
    }),
  )
})

test('a partition without files that are read offers its bytes', async () => {
  const root = tempFolder({ 'tree/etc/motd': 'hello\n', 'tree/usr/x': '' })
  const filesystem = join(root, 'root.ext4')
  await makeExt4(filesystem, { root: join(root, 'tree'), size: '4M' })
  const disk = join(root, 'disk.raw')
  writeFileSync(disk, '')
  execFileSync('truncate', ['-s', '8M', disk])
  execFileSync('/sbin/sfdisk', ['-q', disk], { input: 'label: dos\n2048,2048,ef\n4096,8192,83\n' })
  const descriptor = openSync(disk, 'r+')
  writeSync(descriptor, 'boot', 2048 * 512)
  writeSync(descriptor, readFileSync(filesystem), 0, null, 4096 * 512)
  closeSync(descriptor)
  const image = openImage(disk)
  const into = Buffer.alloc(4)
  image.parts[0]?.read?.(0, into)
  expect(into.toString()).toBe('boot')
  expect(image.parts.map(({ kind, read }) => [kind, read === undefined])).toEqual([
    ['', false],
    ['ext4', true],
  ])
  expect([...image.entries.keys()].toSorted()).toEqual(['etc', 'etc/motd', 'usr', 'usr/x'])
  image.close()
})
