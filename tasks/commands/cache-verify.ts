import type { StoreProblem } from '../../cache/verify-store.ts'
import { exitCodes } from '../errors.ts'
import type { Command } from './command.ts'

export const cacheVerify: Command = {
  name: 'cache verify',
  summary: 'check the cache for damage',
  arguments: '',
  options: [
    { flags: '--read-data', description: 'also read and check every byte, not only footers and maps' },
  ],
  example: 'img cache verify --read-data',
  run: async (call, context) => {
    const { openStore } = await import('../../cache/open-store.ts')
    const store = await openStore({ dir: context.cacheDir, now: context.now })
    try {
      const problems = await store.verify({ readData: call.options['readData'] === true })
      call.print(call.json ? { problems } : renderProblems(problems))
      return problems.length === 0 ? 0 : exitCodes.CACHE_DAMAGED
    } finally {
      await store.close()
    }
  },
}

/** Pure. */
export function renderProblems(problems: readonly StoreProblem[]): string {
  if (problems.length === 0) return 'no damage found\n'
  const lines = problems.map(({ kind, name, problem }) => `${kind} ${name} ${problem}\n`)
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
  return `${lines.join('')}${count}; what is damaged is a miss, and the next build makes it again\n`
}
