import type { StoreProblem } from '../../cache/verify-store.ts'
import { exitCodes, ImgError } from '../errors.ts'
import type { Command } from './command.ts'

export const cacheVerify: Command = {
  name: 'cache verify',
  summary: 'check the cache for damage',
  arguments: '',
  options: [
    { flags: '--read-data', description: 'also read and check every byte, not only footers and maps' },
    {
      flags: '--sample <percent>',
      description: 'read and check this share of the data, other parts each time',
      parse: toShare,
    },
  ],
  example: 'img cache verify --read-data',
  run: async (call, context) => {
    const { openStore } = await import('../../cache/open-store.ts')
    const store = await openStore({ dir: context.cacheDir, now: context.now })
    try {
      const problems = await store.verify({
        readData: call.options['readData'] === true,
        ...(typeof call.options['sample'] === 'number' ? { sample: call.options['sample'] } : {}),
      })
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

/** Pure. `5` and `5%` are a twentieth. */
function toShare(text: string): number {
  const percent = Number(/^(\d{1,3}(?:\.\d+)?)%?$/.exec(text)?.[1])
  if (percent <= 100) return percent / 100
  throw new ImgError('USAGE', `${JSON.stringify(text)} is no percentage`, {
    hint: 'give a number from 0 to 100',
  })
}
