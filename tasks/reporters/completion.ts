// Scripts that complete `img` in a shell. Pure; layer names are asked of `img completion layers` when they are needed.

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

export interface CompletedCommand {
  /** One or two words. */
  readonly name: string
  readonly summary: string
  readonly flags: readonly { readonly long: string; readonly description: string }[]
  /** Whether its arguments are layers. */
  readonly layers: boolean
}

export function renderCompletion(shell: Shell, commands: readonly CompletedCommand[]): string {
  switch (shell) {
    case 'bash':
      return renderBash(commands)
    case 'zsh':
      // zsh runs bash's completions, and one list is less to keep right than two.
      return `#compdef img\nautoload -U +X bashcompinit && bashcompinit\n${renderBash(commands)}`
    case 'fish':
      return renderFish(commands)
  }
}

const globalFlags = ['--json', '--yes', '--imgfile', '--cache-dir', '--quiet', '--verbose', '--help']

function renderBash(commands: readonly CompletedCommand[]): string {
  const words = [...new Set(commands.map(({ name }) => name.split(' ')[0] ?? name))]
  const cases = commands.map(({ name, flags, layers }) => {
    const options = [...flags.map(({ long }) => long), ...globalFlags].join(' ')
    return `    '${name}') flags='${options}' layers=${layers ? 1 : 0} ;;\n`
  })
  const groups = words.filter((word) => commands.some(({ name }) => name.startsWith(`${word} `)))
  const seconds = groups.map((group) => {
    const inner = commands.filter(({ name }) => name.startsWith(`${group} `))
    return `    ${group}) second='${inner.map(({ name }) => name.slice(group.length + 1)).join(' ')}' ;;\n`
  })
  return `_img() {
  local current=\${COMP_WORDS[COMP_CWORD]} command=\${COMP_WORDS[1]} second= flags= layers=0 line words
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${words.join(' ')} help' -- "$current"))
    return
  fi
  case $command in
${seconds.join('')}  esac
  if [ -n "$second" ]; then
    if [ "$COMP_CWORD" -eq 2 ]; then COMPREPLY=($(compgen -W "$second" -- "$current")); return; fi
    command="$command \${COMP_WORDS[2]}"
  fi
  case $command in
${cases.join('')}  esac
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
  elif [ "$layers" -eq 1 ]; then
    # Bash splits words at colons, which layer names have: only what follows the last is inserted.
    line=\${COMP_LINE:0:COMP_POINT}
    current=\${line##* }
    words=$(compgen -W "$(img completion layers 2>/dev/null)" -- "$current")
    if [[ $COMP_WORDBREAKS == *:* && $current == *:* ]]; then
      COMPREPLY=($(printf '%s\\n' $words | sed "s|^\${current%:*}:||"))
    else
      COMPREPLY=($words)
    fi
  fi
}
complete -o default -F _img img
`
}

const quote = (text: string): string => `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`

function renderFish(commands: readonly CompletedCommand[]): string {
  const lines = commands.flatMap(({ name, summary, flags, layers }) => {
    const [first = name, second] = name.split(' ')
    const inside =
      second === undefined
        ? `__fish_seen_subcommand_from ${first}`
        : `__fish_seen_subcommand_from ${first}; and __fish_seen_subcommand_from ${second}`
    const named =
      second === undefined
        ? `complete -c img -n __fish_use_subcommand -f -a ${first} -d ${quote(summary)}`
        : `complete -c img -n ${quote(`__fish_seen_subcommand_from ${first}`)} -f -a ${second} -d ${quote(summary)}`
    const options = flags.map(
      ({ long, description }) =>
        `complete -c img -n ${quote(inside)} -l ${long.slice(2)} -d ${quote(description)}`,
    )
    const names = layers
      ? [`complete -c img -n ${quote(inside)} -f -a '(img completion layers 2>/dev/null)'`]
      : []
    return [named, ...options, ...names]
  })
  const groups = [
    ...new Set(commands.flatMap(({ name }) => (name.includes(' ') ? [name.split(' ')[0]] : []))),
  ]
  const firsts = groups.map((group) => `complete -c img -n __fish_use_subcommand -f -a ${group}`)
  const globals = globalFlags.map((flag) => `complete -c img -l ${flag.slice(2)}`)
  return `${[...globals, ...firsts, ...lines].join('\n')}\n`
}
