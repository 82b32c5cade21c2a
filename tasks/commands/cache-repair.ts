import type { Repair } from '../../cache/repair-store.ts'
import type { Command } from './command.ts'

export const cacheRepair: Command = {
  name: 'cache repair',
  summary: 'heal what is damaged in the cache, and put aside what cannot be healed',
  arguments: '',
  options: [],
  example: 'img cache repair',
  run: async (call, context) => {
    const { openStore } = await import('../../cache/open-store.ts')
    const store = await openStore({ dir: context.cacheDir, now: context.now })
    try {
      const repairs = await store.repair()
      call.print(call.json ? { repairs } : renderRepairs(repairs))
      return 0
    } finally {
      await store.close()
    }
  },
}

/** Pure. */
export function renderRepairs(repairs: readonly Repair[]): string {
  if (repairs.length === 0) return 'no damage found\n'
  const lines = repairs.map(({ kind, name, problem, outcome }) => `${kind} ${name} ${problem}: ${outcome}\n`)
  const lost = repairs.some(({ outcome }) => outcome === 'put aside')
  return `${lines.join('')}${lost ? 'what was put aside is a miss, and the next build makes it again\n' : ''}`
}
