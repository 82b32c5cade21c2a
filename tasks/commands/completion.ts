import { ImgError } from '../errors.ts'
import { type CompletedCommand, renderCompletion, type Shell, shells } from '../reporters/completion.ts'
import type { Command } from './command.ts'
import { withProject } from './with-project.ts'

export const completion: Command = {
  name: 'completion',
  summary: 'print a script that lets a shell complete commands, options and layers',
  arguments: '<shell>',
  options: [],
  example: 'img completion bash > /etc/bash_completion.d/img',
  run: async (call, context) => {
    const [shell = ''] = call.args
    // What the scripts call for the names that only the imgfile knows.
    if (shell === 'layers') {
      return withProject(call, context, async ({ graph }) => {
        const names = [...graph.layers.keys()]
        call.print(call.json ? { layers: names } : names.map((name) => `${name}\n`).join(''))
        return 0
      })
    }
    const known = shells.find((one) => one === shell)
    if (known === undefined) {
      throw new ImgError('USAGE', `there is no completion for ${shell}`, {
        hint: `img completion ${shells[0]}`,
        found: shell,
        validOptions: [...shells],
      })
    }
    const script = renderCompletion(known satisfies Shell, await allCommands())
    call.print(call.json ? { shell: known, script } : script)
    return 0
  },
}

async function allCommands(): Promise<readonly CompletedCommand[]> {
  const { commands } = await import('./index.ts')
  const loaded = Object.entries(commands).map(async ([name, { summary, load }]) => {
    const { options, arguments: takes } = await load()
    const flags = options.map(({ flags: written, description }) => ({
      long: /--[\w-]+/.exec(written)?.[0] ?? '',
      description,
    }))
    return { name, summary, flags, layers: /layer|target|before/.test(takes) }
  })
  return Promise.all(loaded)
}
