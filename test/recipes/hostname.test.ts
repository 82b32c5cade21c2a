import { expect, test } from 'vitest'
import { hostname } from '../../recipes/hostname.ts'
import type { StepOf } from '../../tasks/plan/step.ts'
import { stepsOf } from './steps-of.ts'

test('writes both files', () => {
  const { steps } = stepsOf(hostname('web', { domain: 'example.org' }))
  const [name, hosts] = steps as StepOf<'write'>[]
  expect([name?.path, name?.content]).toEqual(['/etc/hostname', 'web\n'])
  expect([hosts?.path, hosts?.content.split('\n')[1]]).toEqual([
    '/etc/hosts',
    '127.0.1.1\tweb.example.org web',
  ])
})

test.each([
  ['web.example.org', undefined, 'hostname: "web.example.org" is no host name'],
  [undefined, undefined, 'hostname: undefined is no host name'],
  ['web', { domain: 'a b' }, 'hostname: "domain" is "a b", no domain name'],
])('%j with %j is refused', (name, options, message) => {
  expect(() => hostname(name as string, options)).toThrow(expect.objectContaining({ message }))
})
