import { expect, test } from 'vitest'
import { promisesOf } from '../../../tasks/plan/expectations.ts'
import type { JsonValue } from '../../../tasks/plan/step.ts'

const keyRecord = (...resources: JsonValue[]): JsonValue => ({
  phases: [
    {
      mode: 'chroot',
      steps: [{ do: 'run', argv: ['true'] }, { do: 'puppet', catalog: { resources } }, { do: 'seal' }],
    },
  ],
})
const pkg = (title: string, parameters: JsonValue = {}): JsonValue => ({ type: 'Package', title, parameters })
const service = (title: string, parameters: JsonValue): JsonValue => ({ type: 'Service', title, parameters })

test('packages and services of every catalog are promised, by their names', () => {
  const base = keyRecord(
    pkg('chrony', { ensure: 'installed' }),
    service('ssh', { ensure: 'running', enable: true }),
  )
  const role = keyRecord(
    { type: 'Class', title: 'role::ceph' },
    pkg('osd', { name: 'ceph-osd' }),
    pkg('pinned', { ensure: '1.2-3' }),
    service('ceph-osd.target', { enable: true }),
  )
  expect(promisesOf([base, role])).toEqual({
    packages: ['ceph-osd', 'chrony', 'pinned'],
    services: [
      { name: 'ssh', running: true, enabled: true },
      { name: 'ceph-osd.target', enabled: true },
    ],
  })
})

test('a later layer takes back what an earlier promised', () => {
  const base = keyRecord(pkg('ntp'), service('ssh', { ensure: 'running' }))
  const role = keyRecord(
    pkg('ntp', { ensure: 'absent' }),
    service('ssh', { ensure: 'stopped', enable: 'false' }),
  )
  expect(promisesOf([base, role])).toEqual({
    packages: [],
    services: [{ name: 'ssh', running: false, enabled: false }],
  })
})

test('a layer without a catalog promises nothing', () => {
  expect(promisesOf([{ phases: [{ mode: 'chroot', steps: [{ do: 'apt', install: ['vim'] }] }] }])).toEqual({
    packages: [],
    services: [],
  })
})
