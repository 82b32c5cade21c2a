// cloud-init in real machines: what an instance is given, and what becomes of a disk that wakes up as another one.

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findProgram } from '../../../tasks/run/find-program.ts'
import { runGuest, type Facts } from '../../rig/guest.ts'
import { exportTarget } from '../../rig/target-files.ts'
import { tempFolder } from '../../rig/temp-folder.ts'
import { canRun, openBuildProject, type BuildProject } from '../../system/build/project.ts'

const hour = 60 * 60_000

const script = `
fact failed systemctl list-units --failed --plain --no-legend
fact machine-id cat /etc/machine-id
fact journal sh -c 'journalctl --sync; ls -t /var/log/journal /run/log/journal 2>/dev/null; :'
fact host-keys sh -c 'cat /etc/ssh/ssh_host_*_key.pub | cut -d" " -f1,2 | sort'
fact dhcp sh -c 'networkctl status --json=short "$(ls /sys/class/net | grep -v lo | head -1)"'
fact hostname uname -n
fact authorized cat /home/debian/.ssh/authorized_keys
fact ran cat /var/lib/ran
fact size findmnt --noheadings --bytes --output SIZE /
fact cloud cloud-init status --long
`

describe.runIf(canRun && findProgram('genisoimage') !== undefined)('an openstack image', () => {
  let project: BuildProject
  let image: string
  beforeAll(async () => {
    project = openBuildProject('', {}, 'targets.openstack(install)')
    image = join(await exportTarget(project, 'openstack:install-small'), 'disk.qcow2')
  }, hour)
  afterAll(() => project.close())

  /** A larger disk, as a flavor would give it. */
  const makeDisk = (): string => {
    const disk = join(tempFolder(), 'disk.qcow2')
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', image, disk, '4G'])
    return disk
  }

  test('is the instance a config drive describes', { timeout: hour }, async () => {
    const facts = await runGuest({ disk: makeDisk(), media: [configDrive('one')] }, script)
    expect(facts).toEqual(described('one'))
  })

  test('is the instance a seed describes, and another one when that changes', { timeout: hour }, async () => {
    const disk = makeDisk()
    const boot = (instance: string): Promise<Facts> => runGuest({ disk, media: [noCloud(instance)] }, script)
    const [one, two, stays] = [await boot('one'), await boot('two'), await boot('two')]
    expect(one).toEqual(described('one'))
    expect(two).toEqual(described('two'))
    expect(two['journal']).toContain(two['machine-id'])
    const [before, after] = [identity(one), identity(two)]
    expect(after['machine-id']).not.toBe(before['machine-id'])
    expect(after['host-keys'].filter((key) => before['host-keys'].includes(key))).toEqual([])
    expect(after.dhcp).not.toBe(before.dhcp)
    expect(identity(stays)).toEqual(after)
  })
})

const described = (name: string): unknown =>
  expect.objectContaining({
    failed: '',
    hostname: `host-${name}`,
    authorized: expect.stringContaining(sshKey) as string,
    ran: name,
    'machine-id': expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    // Grown with the disk: 3.5 GiB of 4.
    size: expect.stringMatching(/^(?:3[89]|4)[0-9]{8,}$/) as string,
  })

function identity(facts: Facts) {
  const client = JSON.parse(facts['dhcp']!) as Record<string, { readonly ClientIdentifier?: unknown }>
  return {
    'machine-id': facts['machine-id'],
    'host-keys': facts['host-keys']!.split('\n'),
    /** What a DHCP server knows the machine by. */
    dhcp: JSON.stringify(client['DHCPv4Client']?.ClientIdentifier),
  }
}

const sshKey = `ssh-ed25519 ${Buffer.from(createHash('sha256').update('key').digest()).toString('base64')}`

const userData = (instance: string): string => `#!/bin/sh\nprintf ${instance} >/var/lib/ran\n`

function noCloud(instance: string): string {
  const files = {
    'meta-data': `instance-id: ${instance}\nlocal-hostname: host-${instance}\npublic-keys: ["${sshKey}"]\n`,
    'user-data': userData(instance),
  }
  return seedImage('cidata', files)
}

function configDrive(instance: string): string {
  const files = {
    'openstack/latest/meta_data.json': JSON.stringify({
      uuid: instance,
      hostname: `host-${instance}`,
      name: `host-${instance}`,
      public_keys: { test: sshKey },
    }),
    'openstack/latest/user_data': userData(instance),
  }
  return seedImage('config-2', files)
}

function seedImage(label: string, files: Readonly<Record<string, string>>): string {
  const folder = tempFolder()
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, 'seed', name, '..'), { recursive: true })
    writeFileSync(join(folder, 'seed', name), content)
  }
  const image = join(folder, 'seed.iso')
  execFileSync('genisoimage', ['-quiet', '-J', '-r', '-V', label, '-o', image, join(folder, 'seed')])
  return image
}
