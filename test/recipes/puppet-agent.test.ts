import { describe, expect, it } from 'vitest'
import { puppetAgent, type PuppetAgentOptions } from '../../recipes/puppet-agent.ts'
import type { Facts } from '../../tasks/plan/recipe.ts'
import { secret } from '../../tasks/plan/secret.ts'

const facts: Facts = {
  text: (name) => ({ path: name, content: `content of ${name}` }),
  catalog: () => ({ catalog: { name: 'web.invalid' }, sources: { a: 'b' }, plugins: 'c' }),
  env: () => '',
}

const token = secret('puppet-token')
const site: PuppetAgentOptions = {
  server: 'https://puppet.example.org:8140',
  environment: 'production',
  role: 'web',
  codeId: 'abc',
  ca: 'puppet-ca.pem',
  token,
}

describe('puppetAgent', () => {
  it('asks a server of its own, which serves what the layer is keyed by', () => {
    const recipe = puppetAgent({
      server: 'ephemeral',
      environment: 'puppet',
      role: 'web',
      facts: { rack: 'a1' },
      limit: 900,
    })
    expect(recipe).toMatchObject({
      name: 'puppetAgent',
      mode: 'boot',
      parent: 'required',
      tools: { name: 'tools:puppetserver-trixie' },
      inputs: {
        script: { kind: 'text', path: 'firstboot/puppet-agent.sh' },
        apt: { kind: 'apt', suite: 'trixie' },
        catalog: {
          kind: 'catalog',
          environment: 'puppet',
          node: 'web.invalid',
          role: 'web',
          facts: { os: { family: 'Debian' }, rack: 'a1' },
          serve: true,
        },
      },
    })
    expect(recipe.steps(facts)).toEqual([
      {
        do: 'firstboot',
        script: 'content of script',
        env: { FACTER_rack: 'a1', FACTER_role: 'web' },
        apt: 'apt',
        exitCodes: [0, 2],
        label: 'firstboot/puppet-agent.sh',
        machine: { memory: 1024, limit: 900 },
        input: 'catalog',
        agent: {
          server: 'ephemeral',
          certname: 'web.invalid',
          environment: 'production',
          catalog: { name: 'web.invalid' },
          sources: { a: 'b' },
          plugins: 'c',
        },
      },
    ])
  })

  it("asks a site's server, whose code is in the key", () => {
    const recipe = puppetAgent(site)
    expect(recipe.tools?.name).toBe('tools:trixie')
    expect(recipe.inputs).toMatchObject({
      ca: { kind: 'text', path: 'puppet-ca.pem' },
      'secret puppet-token': { kind: 'secret', secret: token },
    })
    expect(recipe.steps(facts)).toMatchObject([
      {
        secrets: ['secret puppet-token'],
        agent: {
          server: 'https://puppet.example.org:8140',
          certname: 'web.invalid',
          environment: 'production',
          codeId: 'abc',
          ca: 'content of ca',
          token: 'puppet-token',
        },
      },
    ])
  })

  it.each([
    [{ ...site, codeId: undefined }, 'puppetAgent: the option "codeId" is missing'],
    [{ ...site, ca: undefined }, 'puppetAgent: the option "ca" is missing'],
    [
      { ...site, facts: { 'os.name': 'x' } },
      'puppetAgent: "facts" is {"os.name":"x"}, whose "os.name" is no name: letters, digits and _',
    ],
    [{ ...site, token: 'x' }, `puppetAgent: "token" is "x", not a secret: write secret('name')`],
    [
      { ...site, server: 'http://puppet' },
      `puppetAgent: "server" is "http://puppet", neither 'ephemeral' nor an address such as https://puppet.example.org:8140`,
    ],
    [
      { server: 'ephemeral', environment: '/etc/puppet', role: 'web' },
      'puppetAgent: "environment" is "/etc/puppet", not a folder below the imgfile',
    ],
    [
      { server: 'ephemeral', environment: 'puppet', role: 'web', codeId: 'a' },
      'puppetAgent: unknown option "codeId"',
    ],
    [
      { server: 'ephemeral', environment: 'puppet', role: 'Web' },
      'puppetAgent: "role" is "Web", not a role: lower-case letters, digits, ., - and _',
    ],
  ])('refuses %j', (options, message) => {
    expect(() => puppetAgent(options as never)).toThrow(expect.objectContaining({ message }))
  })
})
