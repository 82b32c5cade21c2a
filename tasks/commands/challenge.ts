import type { BuiltLayer } from '../build.ts'
import { ImgError } from '../errors.ts'
import type { LayerName } from '../plan/recipe.ts'
import { select } from '../plan/select.ts'
import { formatTable } from '../reporters/format.ts'
import type { Remotes } from '../run/remotes.ts'
import type { Command } from './command.ts'
import { withProject } from './with-project.ts'
import { remotesOf } from './with-remotes.ts'

export const challenge: Command = {
  name: 'challenge',
  summary: "build a layer here and compare it with somebody's record in the shared cache",
  arguments: '<layers...>',
  options: [],
  example: 'img challenge role:ceph-node',
  run: async (call, context) => {
    // Two openings: the build must not take from the cache what it is to be compared with.
    const { runBuild } = await import('../build.ts')
    const own = await withProject(
      { ...call, options: { ...call.options, remote: false } },
      context,
      (project) => runBuild(project, call.args, { mode: 'fail-fast', check: true }),
    )
    return withProject(call, context, async (project) => {
      const remotes = await remotesOf(project)
      const results = await challengeLayers(select(project.graph, call.args), own.layers, remotes)
      call.print(call.json ? { layers: results } : renderChallenged(results))
      const different = results.find(({ verdict }) => verdict === 'different')
      if (different === undefined) return 0
      throw new ImgError(
        'CHECK_DIFFERS',
        `${different.layer} built here is not what ${different.signer} recorded`,
        {
          layer: different.layer,
          wanted: different.theirs ?? '',
          found: different.treeDigest,
          hint: 'one of the two machines built it wrongly, or its steps take something from the time, the network or chance',
        },
      )
    })
  },
}

/** Throws why a layer was not built here. */
export async function challengeLayers(
  names: readonly LayerName[],
  own: readonly BuiltLayer[],
  remotes: Pick<Remotes, 'find'>,
): Promise<readonly Challenged[]> {
  const results: Challenged[] = []
  for (const name of names) {
    const built = own.find((layer) => layer.name === name)
    if (built?.outcome.status === 'failed') throw built.outcome.error
    if (built?.record === undefined) throw new ImgError('INTERRUPTED', `${name} was not built`)
    const { key, treeDigest } = built.record
    const theirs = await remotes.find(key)
    const common = { layer: name, key, treeDigest }
    if (theirs === undefined) {
      results.push({ ...common, verdict: 'unknown' })
      continue
    }
    const verdict = theirs.record.treeDigest === treeDigest ? 'same' : 'different'
    const { signer, namespace, name: remote } = theirs
    results.push({ ...common, verdict, remote, signer, namespace, theirs: theirs.record.treeDigest })
  }
  return results
}

export interface Challenged {
  readonly layer: string
  readonly key: string
  readonly treeDigest: string
  readonly verdict: 'same' | 'different' | 'unknown'
  readonly remote?: string
  readonly signer?: string
  readonly namespace?: string
  readonly theirs?: string
}

/** Pure. */
export const renderChallenged = (results: readonly Challenged[]): string =>
  formatTable(
    results.map(({ layer, verdict, signer, remote }) => [
      layer,
      verdict === 'unknown'
        ? 'nobody recorded this key'
        : `${verdict === 'same' ? 'the same as' : 'other than'} recorded by ${signer} in ${remote}`,
    ]),
  )
