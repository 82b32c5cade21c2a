// An unpacked box for VirtualBox, looked at as VirtualBox would: what its description names is there, and says the same.

import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'

/** `folder` has box.ovf, its disk and the Vagrantfile. */
export function expectVirtualBox(folder: string): void {
  const { file, disk, image, drive, mac } = readDescription(join(folder, 'box.ovf'))
  const path = join(folder, file['href']!)
  expect(Number(file['size'])).toBe(statSync(path).size)
  expect(disk).toMatchObject({
    fileRef: file['id'],
    format: 'http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized',
  })
  expect(drive).toBe(`/disk/${disk['diskId']}`)
  expect(`{${disk['uuid']}}`).toBe(image)
  expect(image).toMatch(/^\{[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}$/)
  expect(readFileSync(join(folder, 'Vagrantfile'), 'utf8')).toContain(`base_mac = "${mac}"`)

  const info = JSON.parse(qemuImg('info', '--output=json', path)) as {
    readonly format: string
    readonly 'virtual-size': number
    readonly 'format-specific': { readonly data: { readonly 'create-type': string } }
  }
  expect(info).toMatchObject({ format: 'vmdk', 'virtual-size': Number(disk['capacity']) })
  expect(info['format-specific'].data['create-type']).toBe('streamOptimized')
  expect(qemuImg('check', path)).toContain('No errors were found on the image.')
}

const qemuImg = (...args: readonly string[]): string => execFileSync('qemu-img', args, { encoding: 'utf8' })

interface Description {
  /** Attributes, without the names of their namespaces. */
  readonly file: Readonly<Record<string, string>>
  readonly disk: Readonly<Record<string, string>>
  /** UUID of what is in the drive of the machine, in braces. */
  readonly image: string
  /** What the drive of the hardware section holds. */
  readonly drive: string
  readonly mac: string
}

/** Throws for what is no XML, or names a file, disk, drive or card not once. */
function readDescription(path: string): Description {
  const program = `
import json, sys, xml.etree.ElementTree as xml
plain = lambda name: name.rpartition('}')[2]
every = [(plain(e.tag), {plain(k): v for k, v in e.attrib.items()}, e.text) for e in xml.parse(sys.argv[1]).iter()]
only = lambda tag: (lambda found: found[0] if len(found) == 1 else sys.exit(f'{len(found)} of {tag}'))([e for e in every if e[0] == tag])
print(json.dumps({'file': only('File')[1], 'disk': only('Disk')[1], 'image': only('Image')[1]['uuid'],
  'drive': only('HostResource')[2], 'mac': only('Adapter')[1]['MACAddress']}))`
  return JSON.parse(execFileSync('python3', ['-c', program, path], { encoding: 'utf8' })) as Description
}
