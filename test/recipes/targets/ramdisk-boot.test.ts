// The initramfs's script in this machine's shell, with what changes a machine taken away.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { ramdiskDisk } from '../../../recipes/targets/ramdisk-boot.ts'
import { tempFolder } from '../../rig/temp-folder.ts'
import { stepsOf } from '../steps-of.ts'
import { debian, parentLayer } from './parent-layer.ts'

const { steps } = stepsOf(ramdiskDisk(parentLayer('role:web', { debian } as const)).recipes[0]!)
const script = steps.flatMap((step) =>
  step.do === 'write' && step.path.endsWith('scripts/img-ramdisk') ? [step.content] : [],
)[0]!

const stubs = `
panic() { echo "panic: $*"; exit 1; }
mount() { echo "mount $*"; }
busybox() { if [ "$*" = 'losetup -f' ]; then echo /dev/loop; else echo "$*"; fi; }
cat() { echo "$LINE"; }
wget() { cp "www/\${4##*/}" "$3" 2>/dev/null; }
modprobe() { :; }
alias sleep=:
configure_networking() { ROOTSERVER=192.0.2.1; }
rootmnt=/root
. ./script
mountroot
`

const files = { 'www/base': 'base', 'www/role': 'role', 'img-root/carried': 'carried' }
const digest = (name: string): string => createHash('sha256').update(name).digest('hex')

function boot(line: string): readonly string[] {
  const local = script.replaceAll('/run/img-ramdisk', 'run').replaceAll('"/img-root/', '"img-root/')
  const cwd = tempFolder({ ...files, stubs, script: local })
  const env = { ...process.env, LINE: line }
  const { stdout } = spawnSync('sh', ['stubs'], { cwd, env, encoding: 'utf8' })
  return stdout.trimEnd().split('\n')
}

describe('a boot from memory', () => {
  test('mounts the images over each other, the last uppermost', () => {
    const line = `quiet img.root=base:${digest('base')},role:${digest('role')} img.url=http://192.0.2.9/x img.size=1G`
    expect(boot(line)).toEqual([
      'mount -t tmpfs -o nodev,noexec,nosuid,mode=0700,size=100% tmpfs run/images',
      'mount -t tmpfs -o mode=0755,size=1G tmpfs run/changes',
      'img: fetching http://192.0.2.9/x/base',
      'losetup -r /dev/loop run/images/base',
      'mount -t squashfs -o ro /dev/loop run/1',
      'img: fetching http://192.0.2.9/x/role',
      'losetup -r /dev/loop run/images/role',
      'mount -t squashfs -o ro /dev/loop run/2',
      'mount -o remount,ro run/images',
      'mount -t overlay -o lowerdir=run/2:run/1,upperdir=run/changes/upper,workdir=run/changes/work overlay /root',
      'img: the root filesystem is in memory, 2 checked',
    ])
  })

  test('asks the server DHCP named, and for what it carries nobody', () => {
    const said = boot(`img.root=carried:${digest('carried')},base:${digest('base')}`)
    expect(said.filter((text) => text.startsWith('img: fetching'))).toEqual([
      'img: fetching http://192.0.2.1/base',
    ])
    expect(said.at(-1)).toBe('img: the root filesystem is in memory, 2 checked')
  })

  test('fetches an image that is two layers once', () => {
    const said = boot(`img.root=base:${digest('base')},base:${digest('base')}`)
    expect(said.filter((text) => text.startsWith('img: fetching'))).toHaveLength(1)
    expect(said.filter((text) => text.startsWith('mount -t squashfs'))).toHaveLength(2)
  })

  test.each([
    ['ro', 'img: the kernel command line has no img.root='],
    [`img.root=none:${digest('none')}`, 'img: http://192.0.2.1/none cannot be fetched into memory'],
    [
      `img.root=base:${digest('role')}`,
      `img: base is not the image this boot was made for, and is not mounted: its sha256 is ${digest('base')} instead of ${digest('role')}`,
    ],
    [
      `img.root=carried:${digest('role')}`,
      `img: carried is not the image this boot was made for, and is not mounted: its sha256 is ${digest('carried')} instead of ${digest('role')}`,
    ],
  ])('%s: stops', (line, message) => {
    const said = boot(line)
    expect(said.at(-1)).toBe(`panic: ${message}`)
    expect(said.filter((text) => text.startsWith('mount -t squashfs'))).toEqual([])
  })
})
