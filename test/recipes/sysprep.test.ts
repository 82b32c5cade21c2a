import { expect, test } from 'vitest'
import { sysprep, type SysprepOptions } from '../../recipes/sysprep.ts'
import { trim } from '../../recipes/trim.ts'
import type { StepOf } from '../../tasks/plan/step.ts'
import { factsOf } from './facts.ts'
import { stepsOf } from './steps-of.ts'

const operationsOf = (options: SysprepOptions): readonly string[] | undefined =>
  stepsOf(sysprep(options)).steps.find((step): step is StepOf<'sysprep'> => step.do === 'sysprep')?.operations

test('asks for what it is told and nothing else, in one order', () => {
  expect(operationsOf({ operations: ['tmp-files', 'logfiles', 'tmp-files'] })).toEqual([
    'logfiles',
    'tmp-files',
  ])
})

test('by default what a running machine leaves, not what is declared or random', () => {
  const operations = operationsOf({})
  expect(operations).toEqual(expect.arrayContaining(['logfiles', 'machine-id', 'ssh-hostkeys']))
  const never = [
    'customize',
    'cron-spool',
    'ssh-userdir',
    'user-account',
    'lvm-uuids',
    'fs-uuids',
    'net-nmconn',
  ]
  expect(operations?.filter((name) => never.includes(name))).toEqual([])
})

test('removes what virt-sysprep forgets and lets the next machine make its host keys', () => {
  const [clean, removal, ...rest] = stepsOf(sysprep()).steps
  expect(clean?.do).toBe('sysprep')
  expect((removal as StepOf<'remove'>).paths).toEqual(
    expect.arrayContaining([
      '/var/cache/puppet/*',
      '/etc/puppetlabs/puppet/ssl/*',
      '/opt/puppetlabs/puppet/cache/*',
      '/var/log/installer',
      '/root/virt-sysprep-firstboot.log',
    ]),
  )
  expect(rest.map((step) => (step.do === 'write' ? step.path : step.do))).toEqual([
    '/etc/systemd/system/img-ssh-host-keys.service',
    'run',
  ])
})

test('operations there were do what they did, and say so', () => {
  const recipe = sysprep({ operations: ['random-seed', 'hostname', 'password'] })
  expect(stepsOf(recipe).steps.slice(0, 2)).toEqual([
    {
      do: 'remove',
      paths: ['/var/lib/systemd/random-seed', '/var/lib/urandom/random-seed', '/var/lib/random-seed'],
    },
    { do: 'write', path: '/etc/hostname', content: 'localhost.localdomain\n', mode: '0644' },
  ])
  expect(recipe.warnings?.(factsOf(''))).toEqual([
    {
      text: 'sysprep: the operation random-seed is gone; the seed is removed, and each machine makes its own',
    },
    { text: 'sysprep: the operation hostname is gone; the name is set to localhost.localdomain, as it did' },
    {
      text: 'sysprep: the operation password is gone and did nothing without an option of its own; use users()',
    },
  ])
})

test.each([
  ['logfile', 'sysprep: virt-sysprep has no operation "logfile"', 'did you mean logfiles?'],
  [
    'customize',
    'sysprep: the operation customize writes a new machine-id and a random seed into the image',
    'use the recipe for what it should do: run(), files(), users(), apt()',
  ],
  ['script', 'sysprep: the operation script needs scripts of its own', 'use script() or run()'],
])('%s is refused', (name, message, hint) => {
  expect(() => sysprep({ operations: [name] })).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', message, fields: expect.objectContaining({ hint }) }),
  )
})

test('trim is one step', () => {
  expect(stepsOf(trim())).toMatchObject({ mode: 'chroot', parent: 'required', steps: [{ do: 'trim' }] })
})
