import { expect, test } from 'vitest'
import { osinfoOf } from '../../../tasks/backends/export-inspect.ts'

// As `osinfo-query os` names them.
test.each([
  [{ ID: 'debian', VERSION_ID: '13' }, 'debian13'],
  [{ ID: 'debian' }, 'debiantesting'],
  [{ ID: 'ubuntu', VERSION_ID: '16.04' }, 'ubuntu16.04'],
  [{ ID: 'fedora', VERSION_ID: '41' }, 'fedora41'],
  [{ ID: 'rhel', VERSION_ID: '9.4' }, 'rhel9.4'],
  [{ ID: 'centos', VERSION_ID: '9' }, 'centos-stream9'],
  [{ ID: 'centos', VERSION_ID: '7' }, 'centos7'],
  [{ ID: 'rocky', VERSION_ID: '9.4' }, 'rocky9'],
  [{ ID: 'almalinux', VERSION_ID: '8.10' }, 'almalinux8'],
  [{ ID: 'x y' }, undefined],
  [{}, undefined],
])('%j is %s', (release, id) => {
  expect(osinfoOf(release)).toBe(id)
})
