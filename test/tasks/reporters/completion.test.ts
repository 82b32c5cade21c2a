import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { renderCompletion } from '../../../tasks/reporters/completion.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

const commands = [
  {
    name: 'build',
    summary: 'bring up to date',
    flags: [{ long: '--check', description: "don't" }],
    layers: true,
  },
  { name: 'cache stats', summary: 'count', flags: [], layers: false },
  {
    name: 'cache verify',
    summary: 'check',
    flags: [{ long: '--read-data', description: 'all' }],
    layers: false,
  },
]

/** What bash offers after this line, with an `img` that knows two layers. */
function complete(line: string): string[] {
  const folder = tempFolder({
    'bin/img*': '#!/bin/sh\nprintf "role:web\\nrole:db\\nbase:a\\n"\n',
    'img.bash': renderCompletion('bash', commands),
  })
  const script = `
    . "$1"
    COMP_WORDBREAKS=$' \\t\\n:='
    COMP_LINE=$2 COMP_POINT=\${#2}
    COMP_WORDS=($2); [[ $2 == *' ' ]] && COMP_WORDS+=('')
    COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
    _img
    printf '%s\\n' "\${COMPREPLY[@]}"`
  const env = { PATH: `${join(folder, 'bin')}:/usr/bin:/bin` }
  const said = execFileSync('bash', ['-c', script, 'bash', join(folder, 'img.bash'), line], { env })
  return said.toString().trim().split('\n').toSorted()
}

test.each([
  ['img ', ['build', 'cache', 'help']],
  ['img ca', ['cache']],
  ['img cache ', ['stats', 'verify']],
  ['img cache verify --r', ['--read-data']],
  ['img build --ch', ['--check']],
  ['img build ', ['base:a', 'role:db', 'role:web']],
  ['img build role:w', ['web']],
])('bash after %j', (line, offered) => {
  expect(complete(line)).toEqual(offered)
})

test('zsh loads it through its bash completions, fish has its own words', () => {
  expect(renderCompletion('zsh', commands)).toContain('bashcompinit')
  expect(
    renderCompletion('fish', commands)
      .split('\n')
      .filter((line) => line.includes('build')),
  ).toEqual([
    "complete -c img -n __fish_use_subcommand -f -a build -d 'bring up to date'",
    "complete -c img -n '__fish_seen_subcommand_from build' -l check -d 'don\\'t'",
    "complete -c img -n '__fish_seen_subcommand_from build' -f -a '(img completion layers 2>/dev/null)'",
  ])
})
