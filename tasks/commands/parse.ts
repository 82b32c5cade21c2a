// The one place that knows commander: from argv to a command and its options, or to a text to print.
// Only the command that was asked for is imported; help of `img` itself is made from the table.

import { Command as Program, CommanderError } from 'commander'
import { ImgError } from '../errors.ts'
import { suggest } from '../plan/suggest.ts'
import { version } from '../version.ts'
import type { Call, Command } from './command.ts'
import { commands, type CommandEntry } from './index.ts'

export type Parsed =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'command'
      readonly command: Command
      readonly call: Pick<Call, 'args' | 'options'>
      readonly globals: { readonly imgfile?: string; readonly cacheDir?: string; readonly yes: boolean }
    }

type Table = Readonly<Record<string, CommandEntry>>

/** A command line that means nothing is USAGE, with what was probably meant. */
export async function parseCommandLine(
  argv: readonly string[],
  terminal: { readonly columns: number },
  table: Table = commands,
): Promise<Parsed> {
  const words = wordsOf(argv)
  if (words[0] === 'help') return parseCommandLine([...words.slice(1), '--help'], terminal, table)
  const name = commandName(words, table)
  let text = ''
  const program = makeProgram(terminal, (piece) => (text += piece))
  let parsed: Parsed | undefined
  if (name === undefined) {
    for (const [known, entry] of Object.entries(table)) subcommand(program, known).summary(entry.summary)
  } else {
    const command = await (table[name] as CommandEntry).load()
    const sub = define(subcommand(program, name), command)
    sub.action(() => {
      parsed = {
        kind: 'command',
        command,
        call: { args: sub.args, options: sub.optsWithGlobals() },
        globals: { ...program.opts(), yes: program.opts()['yes'] === true },
      }
    })
  }
  try {
    program.parse(argv, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (!printed.has(error.code)) throw usageError(error, name, program)
  }
  return parsed ?? { kind: 'text', text }
}

/** How commander says that it printed help or the version. */
const printed: ReadonlySet<string> = new Set([
  'commander.help',
  'commander.helpDisplayed',
  'commander.version',
])

/** What is neither an option nor the value of a global one. */
function wordsOf(argv: readonly string[]): string[] {
  const end = argv.indexOf('--')
  const before = end === -1 ? argv : argv.slice(0, end)
  return before.filter((arg, index) => {
    const previous = before[index - 1]
    return !arg.startsWith('-') && previous !== '--imgfile' && previous !== '--cache-dir'
  })
}

/** The entry's name; undefined when only help can be given. */
function commandName(words: readonly string[], table: Table): string | undefined {
  const [first, second] = words
  if (first === undefined) return undefined
  if (Object.hasOwn(table, first)) return first
  const names = Object.keys(table)
  const inGroup = names.filter((name) => name.startsWith(`${first} `))
  if (inGroup.length === 0) {
    const groups = new Set(names.map((name) => name.split(' ')[0] ?? name))
    throw unknownCommand(first, groups, 'run `img --help` for the list')
  }
  if (second === undefined) return undefined
  if (inGroup.includes(`${first} ${second}`)) return `${first} ${second}`
  throw unknownCommand(`${first} ${second}`, inGroup, `run \`img ${first} --help\` for the list`)
}

function unknownCommand(written: string, known: Iterable<string>, otherwise: string): ImgError {
  const meant = suggest(written, known)
  return new ImgError('USAGE', `there is no command ${written}`, {
    hint: meant === undefined ? otherwise : `did you mean \`img ${meant}\`?`,
    found: written,
  })
}

function makeProgram(terminal: { readonly columns: number }, write: (text: string) => void): Program {
  return new Program('img')
    .description('Golden machine images as a graph of cached layers.')
    .option('--json', 'machine-readable results on stdout, events and errors on stderr')
    .option('--yes', 'install what is missing, answer every question with yes')
    .option('--imgfile <file>', 'use this imgfile instead of looking for one upwards')
    .option('--cache-dir <folder>', 'keep the cache here instead of $IMG_CACHE_DIR')
    .option('-q, --quiet', 'show only warnings and failures')
    .option('-v, --verbose', 'show the output of every step')
    .version(version, '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .exitOverride()
    .showSuggestionAfterError(false)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: write,
      writeErr: write,
      // What went wrong is thrown and rendered like every other error.
      outputError: () => undefined,
      getOutHelpWidth: () => terminal.columns,
      getErrHelpWidth: () => terminal.columns,
    })
    .addHelpText('after', '\nExample:\n  $ img build role:ceph-node')
}

/** `cache stats` is `stats` below `cache`. */
function subcommand(program: Program, name: string): Program {
  let parent = program
  for (const word of name.split(' ')) {
    parent =
      parent.commands.find((known) => known.name() === word) ??
      parent.command(word).copyInheritedSettings(parent).helpCommand(false)
  }
  const group = parent.parent
  if (group !== program) group?.summary(group.commands.map((one) => one.name()).join(', '))
  return parent
}

function define(sub: Program, command: Command): Program {
  sub.summary(command.summary).description(sentence(command.summary))
  if (command.arguments !== '') sub.arguments(command.arguments)
  for (const { flags, description, parse, default: value } of command.options) {
    const option = sub.createOption(flags, description)
    if (parse !== undefined) option.argParser(parse)
    if (value !== undefined) option.default(value)
    sub.addOption(option)
  }
  return sub.allowExcessArguments(false).addHelpText('after', `\nExample:\n  $ ${command.example}`)
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`

function usageError(error: CommanderError, name: string | undefined, program: Program): ImgError {
  const message = error.message.replace(/^error: /, '').replaceAll("'", '')
  const written = /option (-\S+)/.exec(message)?.[1]
  const sub = name === undefined ? program : subcommand(program, name)
  const flags = [...sub.options, ...program.options].flatMap((option) => option.long ?? [])
  const meant =
    error.code === 'commander.unknownOption' && written !== undefined ? suggest(written, flags) : undefined
  return new ImgError('USAGE', message, {
    hint:
      meant === undefined
        ? `run \`img ${name === undefined ? '' : `${name} `}--help\``
        : `did you mean ${meant}?`,
    ...(written === undefined ? {} : { found: written }),
  })
}
