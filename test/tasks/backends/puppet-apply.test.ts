import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import type { PuppetStep } from '../../../tasks/plan/step.ts'
import { puppetApply } from '../../../tasks/backends/puppet-apply.ts'

const step: PuppetStep = {
  do: 'puppet',
  catalog: { name: 'web.invalid', environment: 'production', resources: [] },
  sources: {},
  plugins: 'p',
  input: '0.catalog',
  keepAgent: false,
}

test('the agent is lent: the image starts nothing but its shell', () => {
  const { argv, env, report, files } = puppetApply(step)
  expect(argv).toEqual(['/bin/sh', '/run/img/puppet/lend'])
  expect(report).toBe('/run/img/puppet/report.json')
  expect(files.map(({ path, mode }) => [path, mode])).toEqual([
    ['/run/img/puppet/catalog.json', '0600'],
    ['/run/img/puppet/apply.rb', '0644'],
    ['/run/img/puppet/lend', '0755'],
  ])
  expect(JSON.parse(files[0]?.content ?? '')).toEqual(step.catalog)
  // Whatever is in the environment reaches the image's own programs.
  expect(Object.keys(env)).toEqual(['LC_ALL', 'HOME', 'SYSTEMD_OFFLINE', 'DEBIAN_FRONTEND'])
  const lend = files.find(({ path }) => path.endsWith('/lend'))?.content ?? ''
  expect(lend).not.toMatch(/LD_LIBRARY_PATH|RUBYLIB|GEM_/)
  expect(spawnSync('sh', ['-n'], { input: lend }).status).toBe(0)
})

test('a kept agent is the one of the image', () => {
  expect(puppetApply({ ...step, keepAgent: true }).argv).toEqual([
    '/usr/bin/ruby',
    '/run/img/puppet/apply.rb',
  ])
})

test('everything puppet writes is under /run/img', () => {
  const program = puppetApply(step).files.find(({ path }) => path.endsWith('.rb'))?.content ?? ''
  const settings = ['confdir', 'codedir', 'vardir', 'statedir', 'ssldir', 'publicdir', 'logdir', 'rundir']
  for (const setting of settings) expect(program).toMatch(`${setting}: '`)
  expect(program).not.toMatch(/\/etc\/|\/var\//)
})
