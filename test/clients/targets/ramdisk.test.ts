// Machines without a disk: what iPXE, the kernel and the initramfs make of our files, served by HTTP.

import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readSync, readdirSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { networkHost } from '../../../tasks/backends/build-network.ts'
import { serveFiles, type FileServer } from '../../../tasks/backends/serve-files.ts'
import { runGuest, startGuest } from '../../rig/guest.ts'
import { freePort } from '../../rig/server.ts'
import { exportTarget } from '../../rig/target-files.ts'
import { canRun, openBuildProject, type BuildProject } from '../../system/build/project.ts'

const hour = 60 * 60_000

/** What a role can do to its base: files gone, changed, in place of a folder; owners, links and dates kept. */
const targets = (url: string): string => `...((base) => ['one', 'two'].map((name) =>
  targets.ramdisk(layer('role:' + name, run([
    'rm -r /srv/gone /srv/link /srv/folder/in/file',
    'ln -s kept /srv/link',
    'echo 2 >/srv/folder/new',
    'mkdir -m 0700 /srv/' + name,
  ].join('\\n')), { from: base }), { url: '${url}/' + name })))(
  layer('base:ram', run([
    'mkdir -p /srv/gone /srv/folder/in /srv/link /srv/kept',
    'for file in gone/file folder/in/file folder/in/stays folder/other link/file kept/one; do echo 1 >/srv/$file; done',
    'ln /srv/kept/one /srv/kept/two',
    'chown -R 33:44 /srv/kept',
    'chmod 2750 /srv/kept',
    'touch -d 2001-01-01 /srv/kept/one',
  ].join('\\n')), { from: install }))`

/** The files as they are, where nothing that runs changes them. */
const look = `find srv opt home usr -printf '%p %y %m %U %G %l ' \\( -type f -printf '%s %Ts %n' -o -true \\) -printf '\\n' | LC_ALL=C sort`

const script = `
fact failed systemctl list-units --failed --plain --no-legend
fact multi-user systemctl is-active multi-user.target
fact root findmnt --noheadings --output FSTYPE /
fact disks lsblk --noheadings --nodeps --exclude 7 --output NAME
fact files sh -c 'cd / && ${look.replaceAll("'", String.raw`'\''`)}'
fact memory sh -c 'free -m | sed -n 2p; du -sm /run/img-ramdisk/images'
fact written sh -c 'echo 1 >/usr/written && cat /usr/written'
`

describe.runIf(canRun)('a machine without a disk', () => {
  let project: BuildProject
  let server: FileServer | undefined
  let url: string
  const folder = (name: string): string => join(project.root, 'out', name)
  const network = { outside: true, forwards: [] }

  const bytesOf = (files: readonly string[]): number =>
    files.reduce((total, file) => total + statSync(join(folder('one'), file)).size, 0)

  beforeAll(async () => {
    const port = await freePort()
    url = `http://${networkHost}:${port}`
    project = openBuildProject('', {}, targets(url))
    for (const name of ['one', 'two']) await exportTarget(project, `ramdisk:${name}`, folder(name))
    server = await serveFiles(join(project.root, 'out'), port)
  }, hour)
  afterAll(async () => {
    await server?.close()
    project.close()
  })

  test('boots by iPXE into a system that is the role, file by file', { timeout: hour }, async () => {
    const facts = await runGuest(
      { network: { ...network, bootFile: `${url}/one/boot.ipxe` }, memory: 1536 },
      script,
    )
    expect(facts).toMatchObject({
      failed: '',
      'multi-user': 'active',
      root: 'overlay',
      disks: '',
      written: '1',
    })
    const disk = join(project.root, 'disk.raw')
    expect(await project.img(['export', 'ramdisk-disk:one', disk])).toMatchObject({ status: 0 })
    expect(facts['files']!.trimEnd().split('\n')).toEqual(filesOf(disk, join(project.root, 'mounted')))
    expect(server?.asked.filter((name) => name.startsWith('one/')).toSorted()).toEqual(
      readdirSync(folder('one'))
        .filter((name) => !/^(?:cmdline|grub|pxelinux|SHA)/.test(name))
        .map((name) => `one/${name}`)
        .toSorted(),
    )
  })

  test('ships with a role only what is its own', () => {
    const [one, two] = ['one', 'two'].map((name) =>
      readdirSync(folder(name)).filter((file) => file.endsWith('.squashfs')),
    )
    const shared = one!.filter((file) => two!.includes(file))
    const own = one!.filter((file) => !two!.includes(file))
    // The install layer, the base, and what makes both boot from memory, which is the same change.
    expect([shared.length, own.length]).toEqual([3, 1])
    expect(bytesOf(own)).toBeLessThan(bytesOf(shared) / 10)
  })

  test('stops at an image in which one bit is another', { timeout: hour }, async () => {
    const name = readdirSync(folder('two')).find((file) => file.endsWith('.squashfs'))!
    flipBit(join(folder('two'), name))
    const { machine, ended } = startGuest(
      { network: { ...network, bootFile: `${url}/two/boot.ipxe` }, memory: 1536 },
      script,
    )
    expect(await ended).toMatchObject({ kind: 'problem', problem: { kind: 'initramfs' } })
    expect(machine.console.tail()).toMatch(
      new RegExp(
        `^img: ${name} is not the image this boot was made for, and is not mounted: its sha256 is [0-9a-f]{64} instead of [0-9a-f]{64}$`,
        'm',
      ),
    )
    expect(machine.facts).toEqual([])
  })
})

function filesOf(disk: string, at: string): readonly string[] {
  mkdirSync(at)
  const { partitiontable } = JSON.parse(execFileSync('sfdisk', ['--json', disk]).toString()) as {
    readonly partitiontable: { readonly partitions: readonly { readonly start: number }[] }
  }
  const offset = partitiontable.partitions.at(-1)!.start * 512
  const inside = `mount -o loop,ro,noload,offset=${offset} "$1" "$2" && cd "$2" && ${look}`
  const found = execFileSync('unshare', ['--mount', 'sh', '-euc', inside, 'sh', disk, at], {
    maxBuffer: 2 ** 28,
  })
  return found.toString().trimEnd().split('\n')
}

function flipBit(file: string): void {
  const descriptor = openSync(file, 'r+')
  const place = Math.floor(statSync(file).size / 2)
  const byte = Buffer.alloc(1)
  readSync(descriptor, byte, 0, 1, place)
  writeSync(descriptor, Buffer.of(byte[0]! ^ 1), 0, 1, place)
  closeSync(descriptor)
}
