// What a puppet agent's first boot needs beside its script: a server it trusts and may ask, and a look at what it applied.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import { renderChanges } from '../plan/change.ts'
import { explainCatalog } from '../plan/explain-catalog.ts'
import type { EphemeralAgent, JsonValue, SiteAgent, StepOf } from '../plan/step.ts'
import type { Served } from '../run/catalog.ts'
import { normaliseCatalog, type RawCatalog } from '../run/catalog-normal.ts'
import { rewriteSources } from '../run/catalog-sources.ts'
import type { Work } from './backend.ts'
import { networkHost, type BuildNetwork, type Endpoint } from './build-network.ts'
import { guestFolder, type GuestFile } from './firstboot-script.ts'
import { serverName, serverPort } from './puppet-server-program.ts'
import { startPuppetServer } from './puppet-server.ts'

export interface AgentRun {
  readonly env: Readonly<Record<string, string>>
  readonly files: readonly GuestFile[]
  readonly hosts: readonly string[]
  /** Given what the script left; throws PUPPET_FAILED when that is not what the layer is keyed by. */
  check(out: Readonly<Record<string, string>>): Promise<void>
  close(): Promise<void>
}

/** What must be in the network before it is made; an ephemeral server comes into it later. */
export function agentEndpoints({ agent }: StepOf<'firstboot'>): readonly Endpoint[] {
  if (agent === undefined || agent.server === 'ephemeral') return []
  const { hostname, port } = new URL(agent.server)
  return [{ host: hostname, port: port === '' ? 443 : Number(port) }]
}

export interface AgentPlace {
  readonly work: Work
  readonly network: BuildNetwork
  /** Private. */
  readonly directory: string
  /** Values of the step's secrets. */
  readonly secrets: readonly { readonly name: string; readonly value: Uint8Array }[]
}

export function openAgent(
  step: StepOf<'firstboot'>,
  place: AgentPlace,
  context: RunContext,
): Promise<AgentRun | undefined> {
  const { agent } = step
  if (agent === undefined) return Promise.resolve(undefined)
  return isEphemeral(agent)
    ? openEphemeral(agent, { ...place, input: place.work.inputs[step.input ?? ''] ?? '' }, context)
    : Promise.resolve(openSite(agent, place))
}

const isEphemeral = (agent: EphemeralAgent | SiteAgent): agent is EphemeralAgent =>
  agent.server === 'ephemeral'

async function openEphemeral(
  agent: EphemeralAgent,
  place: AgentPlace & { readonly input: string },
  context: RunContext,
): Promise<AgentRun> {
  const { work, network, directory, input } = place
  const { layer } = work
  context.emit({ event: 'note', layer, text: 'starts a puppetserver for this run' })
  const served = join(input, 'environment')
  const server = await startPuppetServer(
    { work, network, directory, served, certname: agent.certname },
    context,
  )
  return {
    ...given(agent, { host: serverName, port: serverPort, ca: server.ca, token: server.token }),
    check: async ({ 'catalog.json': applied }) => {
      await server.revoke()
      const about = JSON.parse(await readFile(join(input, 'served.json'), 'utf8')) as Served
      checkApplied(applied, { agent, layer, served: about })
    },
    close: server.close,
  }
}

function openSite(agent: SiteAgent, { work, secrets }: AgentPlace): AgentRun {
  const [endpoint] = agentEndpoints({ agent } as StepOf<'firstboot'>)
  const { host = '', port = serverPort } = endpoint ?? {}
  const token = secrets.find(({ name }) => name === agent.token)?.value
  return {
    ...given(agent, {
      host,
      port,
      ca: agent.ca,
      ...(token === undefined ? {} : { token: Buffer.from(token).toString() }),
    }),
    check: async ({ 'catalog.json': applied }) => checkCodeId(applied, { agent, layer: work.layer }),
    close: async () => undefined,
  }
}

function given(
  { certname, environment }: EphemeralAgent | SiteAgent,
  server: { readonly host: string; readonly port: number; readonly ca: string; readonly token?: string },
): Pick<AgentRun, 'env' | 'files' | 'hosts'> {
  const attributes =
    server.token === undefined ? {} : { custom_attributes: { challengePassword: server.token } }
  // JSON is YAML.
  const files = { 'ca.pem': server.ca, 'csr_attributes.yaml': JSON.stringify(attributes) }
  return {
    env: {
      GIVEN: `${guestFolder}/puppet`,
      CERTNAME: certname,
      ENVIRONMENT: environment,
      SERVER: server.host,
      SERVER_PORT: String(server.port),
    },
    files: Object.entries(files).map(([name, content]) => ({
      path: `puppet/${name}`,
      mode: '0400',
      content: Buffer.from(content),
    })),
    hosts: [`${networkHost} ${server.host}`],
  }
}

/** Pure. The server compiled with the machine's real facts; only if that made no difference is the layer what its key says. */
export function checkApplied(
  applied: string | undefined,
  about: { readonly agent: EphemeralAgent; readonly layer: string; readonly served: Served },
): void {
  const { agent, layer, served } = about
  const raw = readApplied(applied, layer)
  const digests = new Map(Object.entries(served.digests))
  const { catalog } = normaliseCatalog(rewriteSources(raw, { modules: served.modules, digests }).catalog)
  const keyed = readByAgent(agent.catalog as RawCatalog)
  const changes = explainCatalog(keyed, sameFields(readByAgent(catalog as RawCatalog), keyed))
  if (changes.length === 0) return
  throw new ImgError(
    'PUPPET_FAILED',
    `layer ${layer}: the agent applied another catalog than the one the layer is keyed by: ${renderChanges(changes)}`,
    {
      layer,
      hint: "the manifests read facts of the machine: declare those with the machine's values in `facts`, or do not depend on them",
    },
  )
}

/** Pure. What the server compiled from is only in its catalog. */
export function checkCodeId(
  applied: string | undefined,
  { agent, layer }: { readonly agent: SiteAgent; readonly layer: string },
): void {
  const { code_id: codeId } = readApplied(applied, layer)
  if (codeId === agent.codeId) return
  const isNamed = typeof codeId === 'string' && codeId !== ''
  throw new ImgError(
    'PUPPET_FAILED',
    isNamed
      ? `layer ${layer}: ${agent.server} compiled from the code ${codeId}, not ${agent.codeId}`
      : `layer ${layer}: ${agent.server} does not say what code it compiled from`,
    {
      layer,
      hint: isNamed
        ? 'give that as codeId if it is what the image is to have, else deploy the other'
        : 'set code-id-command in its versioned-code service: nothing else could be the key of this layer',
      wanted: agent.codeId,
      ...(isNamed ? { found: codeId } : {}),
    },
  )
}

function readApplied(applied: string | undefined, layer: string): RawCatalog {
  const isThere = applied !== undefined && applied !== ''
  const catalog = isThere ? parseCatalog(applied) : undefined
  if (catalog !== undefined) return catalog
  const what = isThere ? 'left what is no catalog' : 'left no catalog'
  throw new ImgError('PUPPET_FAILED', `layer ${layer}: the agent ${what}`, {
    layer,
    hint: `run \`img log ${layer}\`; a script of your own leaves the agent's cached catalog as ${guestFolder}/out/catalog.json`,
  })
}

/** A machine may say anything. */
function parseCatalog(text: string): RawCatalog | undefined {
  try {
    const found = JSON.parse(text) as RawCatalog | null
    return Array.isArray(found?.resources) ? found : undefined
  } catch {
    return undefined
  }
}

/**
 * An agent keeps what it made of the catalog, not the text it was sent (`Puppet::Resource` in puppet 8): titles of classes
 * are capitalised, and a stage's name is its title.
 */
function readByAgent({ resources, edges, ...rest }: RawCatalog): JsonValue {
  const relations = Array.isArray(edges) ? (edges as readonly Readonly<Record<string, JsonValue>>[]) : []
  return {
    ...rest,
    resources: resources.map(({ parameters, ...resource }) => {
      const isStage = resource.type === 'Stage' && parameters?.['name'] === resource.title
      const { name: _name, ...others } = parameters ?? {}
      const kept = isStage ? others : (parameters ?? {})
      return {
        ...resource,
        ...(resource.type === 'Class' && resource.title === 'main' ? { title: 'Main' } : {}),
        ...(Object.keys(kept).length === 0 ? {} : { parameters: kept }),
      }
    }),
    edges: relations.map((edge) => ({ source: named(edge['source']), target: named(edge['target']) })),
  }
}

const named = (reference: JsonValue | undefined): JsonValue =>
  reference === 'Class[main]' ? 'Class[Main]' : (reference ?? null)

/** Without what a server adds to a catalog for its transport. */
function sameFields(applied: JsonValue, keyed: JsonValue): JsonValue {
  const names = new Set(Object.keys(keyed as object))
  return Object.fromEntries(Object.entries(applied as object).filter(([name]) => names.has(name)))
}
