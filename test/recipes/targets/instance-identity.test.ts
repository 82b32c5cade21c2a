// What the script does in a folder that stands for the machine's root.

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { instanceIdentity } from '../../../recipes/targets/instance-identity.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

const [program] = instanceIdentity()
const script = program?.do === 'write' ? program.content : ''

const [first, second] = ['1'.repeat(32), '2'.repeat(32)]

/** A disk, and boots of it as an instance. */
function makeDisk() {
  const root = tempFolder({
    'etc/machine-id': `${first}\n`,
    'var/lib/cloud/data/.keep': '',
    'var/lib/dhcpcd/duid': 'one',
    'systemd-id128*': `#!/bin/sh\necho ${second}\n`,
    'systemctl*': '#!/bin/sh\necho "$@" >>restarted\n',
  })
  const path = (name: string): string => join(root, name)
  return {
    boot: (instance: string | undefined, machine?: string): readonly unknown[] => {
      if (machine !== undefined) writeFileSync(path('etc/machine-id'), `${machine}\n`)
      if (instance !== undefined) writeFileSync(path('var/lib/cloud/data/instance-id'), `${instance}\n`)
      const local = script.replaceAll('/etc/', 'etc/').replaceAll('/var/', 'var/')
      const env = { ...process.env, PATH: `${root}:${process.env['PATH']}` }
      const { status } = spawnSync('sh', ['-c', local], { cwd: root, env })
      return [status, readFileSync(path('etc/machine-id'), 'utf8').trim()]
    },
    has: (name: string) => existsSync(path(name)),
    read: (name: string) => readFileSync(path(name), 'utf8'),
  }
}

test('another instance gets an id of its own, once, and nothing of the network before', () => {
  const disk = makeDisk()
  expect(disk.boot('one')).toEqual([0, first])
  expect(disk.boot('one')).toEqual([0, first])
  expect(disk.has('restarted')).toBe(false)
  expect(disk.has('var/lib/dhcpcd/duid')).toBe(true)
  expect(disk.boot('two')).toEqual([0, second])
  expect(disk.has('var/lib/dhcpcd/duid')).toBe(false)
  expect(disk.read('restarted')).toBe(
    '--no-block restart systemd-journald.service\n--no-block try-restart systemd-networkd.service\n',
  )
  expect(disk.boot('two')).toEqual([0, second])
  expect(disk.read('restarted').split('\n')).toHaveLength(3)
})

test('an instance that cannot be told is no other one', () => {
  const disk = makeDisk()
  expect(disk.boot(undefined)).toEqual([0, first])
  expect(disk.has('var/lib/img/instance')).toBe(false)
  disk.boot('one')
  expect(disk.boot('iid-datasource-none')).toEqual([0, first])
  expect(disk.boot('one')).toEqual([0, first])
})

test('a disk that began without a cloud becomes an instance', () => {
  const disk = makeDisk()
  disk.boot('iid-datasource-none')
  expect(disk.boot('one')).toEqual([0, second])
})

test('an id somebody else made anew stays', () => {
  const disk = makeDisk()
  disk.boot('one')
  const third = '3'.repeat(32)
  expect(disk.boot('two', third)).toEqual([0, third])
  expect(disk.read('var/lib/img/instance')).toBe(`${third} two\n`)
})
