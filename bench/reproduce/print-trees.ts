// `node dist/bench/reproduce/print-trees.js LAYER CACHE`: the tree digest of a layer and of each it needs.

import { fileURLToPath } from 'node:url'
import { chainOf, newest } from './trees.ts'

const [target = '', cache = ''] = process.argv.slice(2)
const cli = fileURLToPath(new URL('../../tasks/cli.js', import.meta.url))
for (const [name, { treeDigest }] of await newest(cache, await chainOf(cli, target, cache))) {
  process.stdout.write(`${name} ${treeDigest}\n`)
}
