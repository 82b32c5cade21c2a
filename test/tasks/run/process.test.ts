import { getEventListeners } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { runProgram, startProgram } from '../../../tasks/run/process.ts'

const groupOf = (pid: number | 'self'): string =>
  readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')[2]!

describe('runProgram', () => {
  it('any number may run by one signal, which nobody listens to afterwards', async () => {
    const { signal } = new AbortController()
    const warnings: Error[] = []
    const note = (warning: Error): void => void warnings.push(warning)
    process.on('warning', note)
    onTestFinished(() => void process.off('warning', note))
    await Promise.all(Array.from({ length: 12 }, () => runProgram(['true'], { signal })))
    await new Promise(setImmediate)
    expect(warnings).toEqual([])
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })
})

describe('startProgram', () => {
  it('gives the program two-way sockets from descriptor 3 on', async () => {
    const program = startProgram(['sh', '-c', 'read line <&3; echo "got $line" >&3; exit 3'], { sockets: 1 })
    const [socket] = program.sockets
    const answer = new Promise<string>((resolve) => socket?.once('data', (data) => resolve(String(data))))
    socket?.write('a line\n')
    expect(await answer).toBe('got a line\n')
    expect(await program.exited).toEqual({ exitCode: 3, signal: undefined, stderr: '' })
  })

  it('tells by which signal a program ended', async () => {
    const program = startProgram(['sleep', '1000'])
    program.kill('SIGKILL')
    expect(await program.exited).toMatchObject({ exitCode: undefined, signal: 'SIGKILL' })
  })

  it('starts what has not the terminal where a Ctrl-C of the terminal does not reach it', async () => {
    const [beside, inFront] = [{}, { terminal: true }].map((options) => {
      const program = startProgram(['sleep', '1000'], options)
      onTestFinished(() => program.kill('SIGKILL'))
      return groupOf(program.pid)
    })
    expect(beside).not.toBe(groupOf('self'))
    expect(inFront).toBe(groupOf('self'))
  })

  it('keeps what the program complained about', async () => {
    const program = startProgram(['sh', '-c', 'echo wrong >&2'])
    expect((await program.exited).stderr).toBe('wrong\n')
  })

  it('does not wait for what the program left behind', async () => {
    const program = startProgram(['sh', '-c', 'sleep 1000 & echo $! >&2'], { sockets: 1 })
    const { exitCode, stderr } = await program.exited
    process.kill(Number(stderr), 'SIGKILL')
    expect(exitCode).toBe(0)
  })

  it('inherits no environment but the path of programs', async () => {
    const program = startProgram(['sh', '-c', 'env >&2'], { env: { GIVEN: 'yes' } })
    const names = (await program.exited).stderr.split('\n').map((line) => line.split('=')[0])
    expect(names.filter((name) => !['', '_', 'PWD', 'SHLVL', 'OLDPWD'].includes(name ?? ''))).toEqual([
      'PATH',
      'GIVEN',
    ])
  })

  it('does not let the program outlive the process that started it', async () => {
    const source = new URL('../../../tasks/run/process.ts', import.meta.url).pathname
    const script = `
      import { writeSync } from 'node:fs'
      import { createJiti } from '${import.meta.resolve('jiti')}'
      const { startProgram } = await createJiti('file:///').import('${source}')
      const program = startProgram(['sh', '-c', 'echo ready >&3; exec sleep 1000'], { sockets: 1 })
      program.sockets[0].once('data', () => {
        writeSync(1, String(program.pid))
        process.kill(process.pid, 'SIGKILL')
      })`
    const { stdout } = await runProgram([process.execPath, '--input-type=module', '--eval', script])
    expect(Number(stdout)).toBeGreaterThan(0)
    await expect.poll(() => isAlive(Number(stdout))).toBe(false)
  })
})

/** A process that ended but was not yet reaped by its new parent has state Z. */
function isAlive(pid: number): boolean {
  const path = `/proc/${pid}/stat`
  return existsSync(path) && !/\) Z /.test(readFileSync(path, 'utf8'))
}
