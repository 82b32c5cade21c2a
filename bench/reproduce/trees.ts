// The layers of a finished build, and what they came out as.

import { openStore } from '../../cache/open-store.ts'
import type { LayerRecord } from '../../cache/store.ts'
import type { LayerName } from '../../tasks/plan/recipe.ts'
import { runProgram } from '../../tasks/run/process.ts'

/** A layer and all it needs, parents first. Throws when the cache lacks one of them. */
export async function chainOf(cli: string, target: string, cache: string): Promise<readonly LayerName[]> {
  const argv = [process.execPath, cli, 'plan', target, '--json', '--cache-dir', cache]
  const { exitCode, stdout, stderr } = await runProgram(argv)
  if (exitCode !== 0) throw new Error(stderr)
  const { layers } = JSON.parse(stdout) as { layers: readonly { name: LayerName; action: string }[] }
  const missing = layers.find(({ action }) => action !== 'reuse' && action !== 'skip')
  if (missing !== undefined) throw new Error(`${cache} has no ${missing.name}: build it there first`)
  return layers.map(({ name }) => name)
}

/** The newest build of each layer. */
export async function newest(
  cache: string,
  names: readonly LayerName[],
): Promise<ReadonlyMap<LayerName, LayerRecord>> {
  const store = await openStore({ dir: cache, now: Date.now })
  try {
    const records = await Promise.all(names.map(async (name) => store.latest(name)))
    return new Map(
      records.flatMap((record, place) => (record === undefined ? [] : [[names[place]!, record]])),
    )
  } finally {
    await store.close()
  }
}

/** Says which layers have the same tree in both caches; true when all have. */
export async function compareTrees(
  names: readonly LayerName[],
  here: string,
  there: string,
): Promise<boolean> {
  const digests = [await newest(here, names), await newest(there, names)].map(
    (records) => new Map([...records].map(([name, { treeDigest }]) => [name, treeDigest])),
  )
  return compareDigests(names, digests[0]!, digests[1]!)
}

/** The same of what is known already, by layer. */
export function compareDigests(
  names: readonly LayerName[],
  here: ReadonlyMap<string, string>,
  there: ReadonlyMap<string, string>,
): boolean {
  const different = names.filter((name) => here.get(name) === undefined || here.get(name) !== there.get(name))
  for (const name of names) {
    const says = different.includes(name) ? `not ${there.get(name)?.slice(0, 12)}` : 'the same tree'
    process.stdout.write(`${name} ${here.get(name)?.slice(0, 12)}: ${says}\n`)
  }
  return different.length === 0
}
