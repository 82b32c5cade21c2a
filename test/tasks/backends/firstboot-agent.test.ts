import { describe, expect, it } from 'vitest'
import { agentEndpoints, checkApplied, checkCodeId } from '../../../tasks/backends/firstboot-agent.ts'
import type { EphemeralAgent, JsonValue, SiteAgent, StepOf } from '../../../tasks/plan/step.ts'

const motd = {
  type: 'File',
  title: '/etc/motd',
  tags: ['file', 'role'],
  exported: false,
  parameters: { ensure: 'file', source: '/run/img/sources/abc' },
}
const agent: EphemeralAgent = {
  server: 'ephemeral',
  certname: 'web.invalid',
  environment: 'production',
  catalog: {
    name: 'web.invalid',
    environment: 'production',
    resources: [motd],
    edges: [],
    classes: ['role'],
  },
  sources: {},
  plugins: '',
}
const served = {
  modules: [{ name: 'profile', path: 'site-modules/profile' }],
  digests: { 'site-modules/profile/files/motd': 'abc' },
}

/** As an agent caches what its server sends. */
const applied = (parameters: Readonly<Record<string, JsonValue>> = {}): string =>
  JSON.stringify({
    name: 'web.invalid',
    environment: 'production',
    version: 1_700_000_000,
    code_id: null,
    catalog_uuid: 'a-b',
    catalog_format: 2,
    metadata: {},
    resources: [
      {
        ...motd,
        file: '/etc/puppet/code/environments/production/manifests/site.pp',
        line: 3,
        parameters: { ensure: 'file', source: 'puppet:///modules/profile/motd', ...parameters },
      },
    ],
    edges: [],
    classes: ['role'],
  })

const about = { agent, layer: 'role:web', served }

describe('checkApplied', () => {
  it('knows the keyed catalog in what the server sent', () => {
    expect(() => checkApplied(applied(), about)).not.toThrow()
  })

  // Both forms as puppet 8.10 writes them: `puppet catalog compile`, and the cache of an agent it was sent to.
  it('knows what every catalog begins with, as an agent writes it', () => {
    const root = { tags: ['class'], exported: false, parameters: { name: 'main' } }
    const stage = { type: 'Stage', title: 'main', tags: ['stage'], exported: false }
    const compiled = {
      resources: [
        { ...stage, parameters: { name: 'main' } },
        { type: 'Class', title: 'main', ...root },
      ],
      edges: [
        { source: 'Stage[main]', target: 'Class[main]' },
        { source: 'Class[main]', target: 'Class[Role]' },
      ],
    }
    const cached = {
      resources: [stage, { type: 'Class', title: 'Main', ...root }],
      edges: [
        { source: 'Stage[main]', target: 'Class[Main]' },
        { source: 'Class[Main]', target: 'Class[Role]' },
      ],
    }
    const keyed = { ...about, agent: { ...agent, catalog: compiled } }
    expect(() => checkApplied(JSON.stringify(cached), keyed)).not.toThrow()
    const other = { ...cached, edges: cached.edges.slice(1) }
    expect(() => checkApplied(JSON.stringify(other), keyed)).toThrow('relationships changed')
  })

  it('names what differs', () => {
    expect(() => checkApplied(applied({ mode: '0600' }), about)).toThrow(
      expect.objectContaining({
        code: 'PUPPET_FAILED',
        message:
          'layer role:web: the agent applied another catalog than the one the layer is keyed by: catalog: File[/etc/motd] mode changed',
        fields: {
          layer: 'role:web',
          hint: "the manifests read facts of the machine: declare those with the machine's values in `facts`, or do not depend on them",
        },
      }),
    )
  })

  it('fails when there is none', () => {
    expect(() => checkApplied(undefined, about)).toThrow(
      expect.objectContaining({
        code: 'PUPPET_FAILED',
        message: 'layer role:web: the agent left no catalog',
        fields: {
          layer: 'role:web',
          hint: "run `img log role:web`; a script of your own leaves the agent's cached catalog as /run/img/firstboot/out/catalog.json",
        },
      }),
    )
  })
})

it.each(['{', 'null', '{"resources":{}}'])('a machine that leaves %s', (left) => {
  const said = expect.objectContaining({
    code: 'PUPPET_FAILED',
    message: 'layer role:web: the agent left what is no catalog',
    fields: {
      layer: 'role:web',
      hint: "run `img log role:web`; a script of your own leaves the agent's cached catalog as /run/img/firstboot/out/catalog.json",
    },
  })
  expect(() => checkApplied(left, about)).toThrow(said)
  expect(() => checkCodeId(left, { agent: site, layer: 'role:web' })).toThrow(said)
})

const site: SiteAgent = {
  server: 'https://puppet.example.org:8140',
  certname: 'web.invalid',
  environment: 'production',
  codeId: 'abc',
  ca: '',
}

describe('checkCodeId', () => {
  it('accepts the code that is in the key', () => {
    expect(() =>
      checkCodeId('{"code_id":"abc","resources":[]}', { agent: site, layer: 'role:web' }),
    ).not.toThrow()
  })

  it.each([
    [
      { code_id: 'def' },
      'compiled from the code def, not abc',
      {
        hint: 'give that as codeId if it is what the image is to have, else deploy the other',
        wanted: 'abc',
        found: 'def',
      },
    ],
    [
      { code_id: null },
      'does not say what code it compiled from',
      {
        hint: 'set code-id-command in its versioned-code service: nothing else could be the key of this layer',
        wanted: 'abc',
      },
    ],
  ])('refuses %j', (catalog, what, fields) => {
    expect(() =>
      checkCodeId(JSON.stringify({ ...catalog, resources: [] }), { agent: site, layer: 'role:web' }),
    ).toThrow(
      expect.objectContaining({
        code: 'PUPPET_FAILED',
        message: `layer role:web: https://puppet.example.org:8140 ${what}`,
        fields: { layer: 'role:web', ...fields },
      }),
    )
  })
})

describe('agentEndpoints', () => {
  it("lets a machine reach a site's own server, and nobody else", () => {
    const step = { do: 'firstboot', script: '', exitCodes: [0], label: '' } as StepOf<'firstboot'>
    expect(agentEndpoints({ ...step, agent: site })).toEqual([{ host: 'puppet.example.org', port: 8140 }])
    expect(agentEndpoints({ ...step, agent })).toEqual([])
    expect(agentEndpoints(step)).toEqual([])
  })
})
