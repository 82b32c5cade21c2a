import { describe, expect, test } from 'vitest'
import { ImgError } from '../../../tasks/errors.ts'
import type { Command } from '../../../tasks/commands/command.ts'
import { commands, type CommandEntry } from '../../../tasks/commands/index.ts'
import { parseCommandLine } from '../../../tasks/commands/parse.ts'

const make: Command = {
  name: 'make',
  summary: 'make things',
  arguments: '[layers...]',
  options: [
    { flags: '-j, --jobs <n>', description: 'how many at once', parse: Number },
    { flags: '--keep-going', description: 'do not stop' },
  ],
  example: 'img make a:b',
  run: () => Promise.resolve(0),
}
const table: Readonly<Record<string, CommandEntry>> = {
  make: { summary: make.summary, load: () => Promise.resolve(make) },
  'cache stats': {
    summary: 'count',
    load: () => Promise.resolve({ ...make, name: 'cache stats', arguments: '<a>', options: [] }),
  },
  'cache verify': {
    summary: 'check',
    load: () => Promise.reject(new Error('loaded without being asked for')),
  },
  broken: {
    summary: 'never loaded',
    load: () => Promise.reject(new Error('loaded without being asked for')),
  },
}

describe('a command', () => {
  test.each([
    ['make --jobs 3 a:b --json c:d', { jobs: 3, json: true }, {}],
    ['--json make -j3 a:b c:d', { jobs: 3, json: true }, {}],
    ['--imgfile x/imgfile.ts make a:b c:d --cache-dir /c', {}, { imgfile: 'x/imgfile.ts', cacheDir: '/c' }],
    ['make --keep-going --yes a:b c:d', { keepGoing: true }, { yes: true }],
    ['make -- a:b c:d', {}, {}],
  ])('img %s', async (line, options, globals) => {
    const parsed = await parseCommandLine(line.split(' '), { columns: 80 }, table)
    expect(parsed).toMatchObject({
      kind: 'command',
      command: make,
      call: { args: ['a:b', 'c:d'], options },
      globals: { yes: false, ...globals },
    })
  })

  test('of two words', async () => {
    const parsed = await parseCommandLine(['cache', 'stats', 'x'], { columns: 80 }, table)
    expect(parsed).toMatchObject({ kind: 'command', call: { args: ['x'] }, command: { name: 'cache stats' } })
  })
})

describe('help', () => {
  test.each(['', '--help', 'help', '-h'])('img %s', async (line) => {
    const text = await textOf(line)
    expect(text).toMatch(/^Usage: img \[options\] \[command\]\n/)
    expect(text).toContain('\n  make                  make things\n')
    expect(text).toContain('\n  cache                 stats, verify\n')
  })

  test.each(['make --help', 'help make', '--json make -h'])('img %s', async (line) => {
    expect(await textOf(line)).toMatchInlineSnapshot(`
      "Usage: img make [options] [layers...]

      Make things.

      Options:
        -j, --jobs <n>        how many at once
        --keep-going          do not stop
        -h, --help            print this help

      Global Options:
        --json                machine-readable results on stdout, events and errors on
                              stderr
        --yes                 install what is missing, answer every question with yes
        --imgfile <file>      use this imgfile instead of looking for one upwards
        --cache-dir <folder>  keep the cache here instead of $IMG_CACHE_DIR
        -q, --quiet           show only warnings and failures
        -v, --verbose         show the output of every step
        --version             print the version

      Example:
        $ img make a:b
      "
    `)
  })

  test.each(['cache', 'cache --help', 'help cache'])('img %s', async (line) => {
    const text = await textOf(line)
    expect(text).toMatch(/^Usage: img cache \[options\] \[command\]\n/)
    expect(text).toContain('\n  stats                 count\n')
    expect(text).not.toContain('img make')
  })

  test('the version', async () => expect(await textOf('--version')).toMatch(/^\d+\.\d+\.\d+\n$/))

  test.each(Object.keys(commands))('every command has one, with an example: %s', async (name) => {
    const command = await commands[name]?.load()
    expect(command?.name).toBe(name)
    expect(command?.summary).toBe(commands[name]?.summary)
    expect(command?.example).toMatch(new RegExp(`^img ${name}`))
    const parsed = await parseCommandLine([...name.split(' '), '--help'], { columns: 100 })
    expect(parsed.kind === 'text' ? parsed.text : '').toContain(`Example:\n  $ ${command?.example}`)
  })
})

describe('a mistake', () => {
  test.each([
    ['mkae', 'there is no command mkae', 'did you mean `img make`?'],
    ['xyz --json', 'there is no command xyz', 'run `img --help` for the list'],
    ['cache stat x', 'there is no command cache stat', 'did you mean `img cache stats`?'],
    ['cache zzzzz', 'there is no command cache zzzzz', 'run `img cache --help` for the list'],
    ['make --jbos 3', 'unknown option --jbos', 'did you mean --jobs?'],
    ['make --jsn', 'unknown option --jsn', 'did you mean --json?'],
    ['make --what-else', 'unknown option --what-else', 'run `img make --help`'],
    ['--what-else', 'unknown option --what-else', 'run `img --help`'],
    ['make --jobs', 'option -j, --jobs <n> argument missing', 'run `img make --help`'],
    ['cache stats', 'missing required argument a', 'run `img cache stats --help`'],
    [
      'cache stats a b',
      'too many arguments for stats. Expected 1 argument but got 2.',
      'run `img cache stats --help`',
    ],
  ])('img %s', async (line, message, hint) => {
    const error: unknown = await parseCommandLine(line.split(' '), { columns: 80 }, table).catch(
      (reason: unknown) => reason,
    )
    if (!(error instanceof ImgError)) throw error
    expect({ code: error.code, message: error.message, hint: error.fields.hint }).toEqual({
      code: 'USAGE',
      message,
      hint,
    })
  })
})

async function textOf(line: string): Promise<string> {
  const parsed = await parseCommandLine(line.split(' ').filter(Boolean), { columns: 80 }, table)
  return parsed.kind === 'text' ? parsed.text : `not a text but ${parsed.command.name}`
}
