import { describe, expect, it } from 'vitest'
import { makeExpectations } from '../../../tasks/backends/boot-expectations.ts'
import type { JsonValue, Step } from '../../../tasks/plan/step.ts'

const apt = (install: string[], remove: string[] = []): Step => ({
  do: 'apt',
  apt: 'archive',
  install,
  remove,
  recommends: false,
})

const puppet = (resources: JsonValue): Step => ({
  do: 'puppet',
  catalog: { resources },
  sources: {},
  plugins: '',
  input: 'catalog',
  keepAgent: false,
})

const resource = (type: string, title: string, parameters?: { [key: string]: JsonValue }): JsonValue => ({
  type,
  title,
  ...(parameters === undefined ? {} : { parameters }),
})

describe('makeExpectations', () => {
  it('takes packages by plain name; what was installed first counts while nothing changed it', () => {
    const bootstrap: Step = {
      do: 'bootstrap',
      apt: 'archive',
      suite: 'trixie',
      variant: 'important',
      packages: ['openssh-server', 'linux-image-amd64'],
      recommends: false,
      debconf: [],
    }
    const steps = [
      bootstrap,
      apt(['b=1.0', 'c/trixie-updates', 'd:amd64'], ['openssh-server']),
      puppet([
        resource('Package', 'chrony', { ensure: 'installed' }),
        resource('Package', 'the daemon', { ensure: '4.2', name: 'lldpd' }),
        resource('Package', 'c', { ensure: 'absent' }),
        resource('Package', 'd', { ensure: 'purged' }),
        resource('File', '/etc/motd', { ensure: 'file' }),
      ]),
    ]
    expect(makeExpectations(steps).packages).toEqual(['b', 'chrony', 'lldpd'])
    expect(makeExpectations([bootstrap]).packages).toEqual(['linux-image-amd64', 'openssh-server'])
  })

  it('takes services from catalogs, and the last word counts', () => {
    const steps = [
      puppet([
        resource('Service', 'ssh', { ensure: 'running', enable: true }),
        resource('Service', 'apt timer', { name: 'apt-daily.timer', enable: 'mask', ensure: 'stopped' }),
        resource('Service', 'bare'),
        resource('Service', 'manual', { enable: 'manual' }),
      ]),
      puppet([resource('Service', 'ssh', { ensure: 'running', enable: false })]),
    ]
    expect(makeExpectations(steps).services).toEqual([
      { name: 'apt-daily.timer', running: false, enabled: false },
      { name: 'bare' },
      { name: 'manual' },
      { name: 'ssh', running: true, enabled: false },
    ])
  })

  it('expects nothing of a catalog without resources', () => {
    expect(makeExpectations([puppet(null), { ...puppet([]), catalog: 'x' } as Step])).toEqual({
      packages: [],
      services: [],
    })
  })
})
