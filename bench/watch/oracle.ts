// What a cold look at a state of the project says: the key of each layer, by `img plan` of another copy.

import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { canonicalJson } from '../../tasks/plan/canonical.ts'
import { runProgram } from '../../tasks/run/process.ts'
import type { Editor, Files } from './editors.ts'
import type { ProjectCopy } from './project-copy.ts'
import type { Told } from './watched.ts'

export interface Oracle {
  /** Absent where the state is broken, or the layer's parent has no record yet. */
  keyOf(layer: string, files: Files): Promise<string | undefined>
}

/** Of the project as it is now, with the files of each question laid over it. */
export function openOracle(
  cli: string,
  target: string,
  { folder, root: original, cache }: ProjectCopy,
): Oracle {
  const root = join(folder, 'oracle')
  cpSync(original, root, { recursive: true })
  const known = new Map<string, Promise<ReadonlyMap<string, string | undefined>>>()
  let last: Promise<unknown> = Promise.resolve()
  const ask = async (files: Files): Promise<ReadonlyMap<string, string | undefined>> => {
    for (const [path, text] of Object.entries(files)) {
      if (text === undefined) rmSync(join(root, path), { force: true })
      else {
        mkdirSync(dirname(join(root, path)), { recursive: true })
        writeFileSync(join(root, path), text)
      }
    }
    const argv = [process.execPath, cli, 'plan', target, '--json', '--cache-dir', cache]
    const { exitCode, stdout } = await runProgram(argv, { cwd: root })
    if (exitCode !== 0) return new Map()
    const { layers } = JSON.parse(stdout) as { layers: readonly { name: string; key?: string }[] }
    return new Map(layers.map(({ name, key }) => [name, key]))
  }
  return {
    keyOf: async (layer, files) => {
      const state = canonicalJson(Object.entries(files).map(([path, text]) => [path, text ?? null]))
      if (!known.has(state)) {
        const answer = last.then(() => ask(files))
        known.set(state, answer)
        last = answer
      }
      return (await known.get(state))?.get(layer)
    },
  }
}

/** Longer than the watch waits for more changes. */
const slackMs = 3000

/** Every build that nobody needed, in words. */
export async function findSuperfluous(
  events: readonly Told[],
  history: Editor['history'],
  oracle: Oracle,
): Promise<readonly string[]> {
  const found: string[] = []
  const finished = new Set<string>()
  for (const [place, { event, layer = '', key = '', time }] of events.entries()) {
    if (event !== 'layer-start') continue
    const name = `${layer} ${key.slice(0, 12)}`
    // What a build begins with was read since the last change that was told, however busy the machine is.
    const asked = events.slice(0, place).findLast((told) => told.event === 'changed')?.time ?? time
    const end = events.slice(place).find((told) => told.event === 'layer-end' && told.layer === layer)
    if (finished.has(key)) found.push(`${name} was built already`)
    const keys = (from: number, to: number): Promise<readonly (string | undefined)[]> =>
      Promise.all(filesBetween(history, from, to).map((files) => oracle.keyOf(layer, files)))
    if (!(await keys(asked - slackMs, time)).includes(key)) found.push(`${name} was begun of an old state`)
    if (end?.outcome?.status === 'built') finished.add(key)
    else if ((await keys(time, end?.time ?? Infinity)).every((one) => one === key))
      found.push(`${name} ended as ${end?.outcome?.status} although nothing changed`)
  }
  return found
}

/** Newest first. */
const filesBetween = (history: Editor['history'], from: number, to: number): readonly Files[] =>
  history
    .filter(({ since }, place) => since <= to && (history[place + 1]?.since ?? Infinity) > from)
    .map(({ files }) => files)
    .toReversed()
