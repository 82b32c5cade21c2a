import { describe, expect, it } from 'vitest'
import {
  checkBoot,
  checkIdentities,
  checkStability,
  isTooSlow,
  type Check,
} from '../../../tasks/backends/boot-checks.ts'
import type { BootReport } from '../../../tasks/backends/boot-report.ts'

const good: BootReport = {
  state: 'running',
  multiUser: true,
  failedUnits: [],
  failedLog: '',
  hostname: 'node',
  machineId: '0123456789abcdef0123456789abcdef',
  hostKeys: ['k1', 'k2'],
  duids: [],
  randomSeed: 'aaaaaaaaaaaa',
  packages: { 'ceph-osd': '18', openssh: '9' },
  audit: '',
  services: {
    ssh: { loaded: true, active: true, waitsForCondition: false, enabled: 'enabled' },
    'ceph-osd.target': { loaded: true, active: false, waitsForCondition: true, enabled: 'static' },
    gone: { loaded: false, active: false, waitsForCondition: false, enabled: '' },
    idle: { loaded: true, active: false, waitsForCondition: false, enabled: 'disabled' },
  },
  listening: [],
  kernelErrors: [],
  rootSize: 1000,
  rootFree: 500,
}
const other: BootReport = {
  ...good,
  machineId: 'fedcba9876543210fedcba9876543210',
  hostKeys: ['k3', 'k4'],
  randomSeed: 'bbbbbbbbbbbb',
}
const nothing = { packages: [], services: [] }

const failures = (checks: readonly Check[]): string[] =>
  checks.filter(({ passed }) => !passed).map(({ name, detail }) => `${name}: ${detail}`)

describe('checkBoot', () => {
  it('passes a good boot', () => {
    const expected = {
      packages: ['ceph-osd'],
      services: [
        { name: 'ssh', running: true, enabled: true },
        { name: 'ceph-osd.target', running: true, enabled: true },
        { name: 'idle', running: false, enabled: false },
        { name: 'gone', running: false },
      ],
    }
    const checks = checkBoot(good, expected)
    expect(failures(checks)).toEqual([])
    expect(checks.map(({ name, detail }) => `${name}: ${detail}`)).toEqual([
      'reaches multi-user: systemd says running',
      'no failed unit: none',
      'no kernel error: none',
      'no half-installed package: none',
      'has a machine id: 0123456789abcdef0123456789abcdef',
      'has its packages: 1 expected, all installed',
      'has its services: 4 expected, all there; 1 wait for configuration',
    ])
  })

  it.each<[Partial<BootReport>, string]>([
    [{ multiUser: false, state: 'starting' }, 'reaches multi-user: systemd says starting'],
    [{ failedUnits: ['a', 'b', 'c', 'd', 'e', 'f', 'g'] }, 'no failed unit: a, b, c, d, e and 2 more'],
    [{ kernelErrors: ['BUG: x'] }, 'no kernel error: BUG: x'],
    [{ audit: 'broken:\n pkg' }, 'no half-installed package: broken:  pkg'],
    [{ machineId: '' }, 'has a machine id: none'],
    [{ machineId: 'uninitialized' }, 'has a machine id: uninitialized'],
  ])('refuses %o', (over, failure) => {
    expect(failures(checkBoot({ ...good, ...over }, nothing))).toEqual([failure])
  })

  it('names packages and services that are not as promised', () => {
    const services = [
      { name: 'gone', running: true },
      { name: 'idle', running: true },
      { name: 'ssh', running: false, enabled: false },
      { name: 'idle', enabled: true },
      { name: 'ssh', enabled: false },
      { name: 'unknown', running: true },
    ]
    expect(
      failures(checkBoot(good, { packages: ['nova', 'ceph-osd'], services: services.slice(0, 5) })),
    ).toEqual([
      'has its packages: not installed: nova',
      'has its services: gone has no unit, idle does not run, ssh runs, idle is disabled, ssh is enabled',
    ])
    expect(failures(checkBoot(good, { packages: [], services: services.slice(5) }))).toEqual([
      'has its services: unknown was not asked about',
    ])
  })
})

describe('checkIdentities', () => {
  it('passes two machines that share nothing but the image', () => {
    const checks = checkIdentities(good, other)
    expect(failures(checks)).toEqual([])
    expect(checks.map(({ name, detail }) => `${name}: ${detail}`)).toEqual([
      `own machine id: ${good.machineId} and ${other.machineId}`,
      'own ssh host keys: 2 and 2, none shared',
      'own DHCP identity: 0 and 0 in files, none shared',
      'own random seed: aaaaaaaa and bbbbbbbb',
      'same packages: 2 packages',
    ])
  })

  it.each<[Partial<BootReport>, string]>([
    [{ machineId: good.machineId }, `own machine id: ${good.machineId} and ${good.machineId}`],
    [{ hostKeys: ['k2', 'k4'] }, 'own ssh host keys: k2'],
    [{ randomSeed: good.randomSeed }, 'own random seed: aaaaaaaa and aaaaaaaa'],
    [{ packages: { 'ceph-osd': '19', openssh: '9' } }, 'same packages: 2 packages'],
  ])('refuses a twin with %o', (over, failure) => {
    expect(failures(checkIdentities(good, { ...other, ...over }))).toEqual([failure])
  })

  it('refuses a DHCP identity that was in the image', () => {
    const duids = ['00:01:00:01']
    expect(failures(checkIdentities({ ...good, duids }, { ...other, duids }))).toEqual([
      'own DHCP identity: 00:01:00:01',
    ])
  })
})

describe('checkStability', () => {
  it('wants the same machine after a restart', () => {
    expect(failures(checkStability(good, good))).toEqual([])
    expect(failures(checkStability(good, other))).toEqual([
      `keeps its machine id: ${good.machineId}, then ${other.machineId}`,
      'keeps its ssh host keys: 2 keys',
    ])
  })
})

it.each([
  [[], '', false],
  [['chrony.service'], 'chrony.service: start operation timed out. Terminating.', true],
  [['chrony.service'], 'chrony.service: Main process exited, code=exited, status=1/FAILURE', false],
])('failed units %j that said %j: too slow is %s', (failedUnits, failedLog, slow) => {
  expect(isTooSlow([good, { ...good, failedUnits, failedLog }])).toBe(slow)
})
