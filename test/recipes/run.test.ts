import { expect, test } from 'vitest'
import { run } from '../../recipes/run.ts'
import { stepsOf } from './steps-of.ts'

test('a line of shell', () => {
  expect(stepsOf(run('systemctl mask a\nsystemctl mask b'))).toEqual({
    name: 'run',
    mode: 'chroot',
    parent: 'required',
    inputs: {},
    steps: [
      {
        do: 'run',
        argv: ['bash', '-euo', 'pipefail', '-c', 'systemctl mask a\nsystemctl mask b'],
        label: 'systemctl mask a',
      },
    ],
  })
})

test('a program with arguments, environment and repositories', () => {
  const recipe = run(['apt-get', 'update'], { suite: 'trixie', env: { A: 'b' }, label: 'lists' })
  expect(stepsOf(recipe)).toMatchObject({
    inputs: { apt: { kind: 'apt', suite: 'trixie' } },
    steps: [{ do: 'run', argv: ['apt-get', 'update'], env: { A: 'b' }, apt: 'apt', label: 'lists' }],
  })
})

test.each([
  ['  ', undefined, 'run: the command is "  ", not text or a list of texts'],
  [[], undefined, 'run: the command is [], not text or a list of texts'],
  [['a', 1], undefined, 'run: the command is ["a",1], not text or a list of texts'],
  [undefined, undefined, 'run: the command is undefined, not text or a list of texts'],
  ['true', { env: { A: 1 } }, 'run: "env" is {"A":1}, not an object of texts'],
  ['true', { sute: 'x' }, 'run: unknown option "sute"'],
])('%j with %j is refused', (command, options, message) => {
  expect(() => run(command as string, options as never)).toThrow(expect.objectContaining({ message }))
})
