import { describe, expect, it } from 'vitest'
import type { MachineParts } from '../../../tasks/backends/qemu-arguments.ts'
import type { Ending } from '../../../tasks/backends/qemu-ending.ts'
import { Machine, type MachineLimits, type MachineOptions } from '../../../tasks/backends/qemu-machine.ts'
import { fakePrograms } from '../../rig/fake-programs.ts'

const parts: MachineParts = {
  disk: '/nowhere',
  accelerator: 'tcg',
  firmware: { kind: 'bios' },
  memory: 64,
  cpus: 1,
  network: { outside: false, forwards: [] },
  credentials: {},
  restarts: false,
  console: 'socket',
}
const limits = { silenceMs: 60_000, totalMs: 60_000, answerMs: 60_000 }

/** A qemu that greets, answers the first command and then does what the script says. */
function start(script: string, over: Partial<MachineOptions> = {}): Machine {
  const { path } = fakePrograms({
    'qemu-system-x86_64': `answer() { read -r line <&3; echo '{"return":{}}' >&3; }
event() { echo "{\\"event\\":\\"$1\\",\\"data\\":$2}" >&3; }
echo '{"QMP":{}}' >&3
answer
${script}`,
  })
  return new Machine({ parts, limits, path, signal: new AbortController().signal, ...over })
}

const fact = (name: string, nonce = 'n'): string =>
  `echo '${JSON.stringify({ nonce, fact: name, status: 0, data: Buffer.from(name).toString('base64') })}' >&4`

describe('Machine', () => {
  it('plugs the report port in, collects facts of its own run and sees the power-off', async () => {
    const machine = start(
      `answer
read -r script <&4
${fact('hello')}
${fact('forged', 'another nonce')}
echo noise >&4
${fact('end')}
event SHUTDOWN '{"guest":true,"reason":"guest-shutdown"}'`,
      { script: { text: 'say end', nonce: 'n' } },
    )
    expect(await machine.ended).toEqual({ kind: 'powered-off' })
    expect(machine.facts).toEqual([
      { name: 'hello', status: 0, text: 'hello' },
      { name: 'end', status: 0, text: 'end' },
    ])
  })

  it('sends what goes with a script once that said something, and passes its raw output on', async () => {
    const said: string[] = []
    const machine = start(
      `answer
read -r script <&4
${fact('hello')}
payload=$(head -c 3 <&4)
echo "got $payload" >&6
event SHUTDOWN '{"guest":true,"reason":"guest-shutdown"}'
sleep 1`,
      {
        parts: { ...parts, log: 'img.log' },
        script: { text: '', nonce: 'n' },
        payload: Buffer.from('a\nb'),
        onLog: (text) => said.push(text),
      },
    )
    expect(await machine.ended).toEqual({ kind: 'powered-off' })
    expect(said.join('')).toBe('got a\nb\n')
  })

  it('finds a report that came over the console', async () => {
    const line = fact('done').replace('>&4', '>&5').replace("'{", "'[ 12.3] noise {")
    const machine = start(`${line}; event SHUTDOWN '{"guest":true,"reason":"guest-shutdown"}'; sleep 1`, {
      script: { text: '', nonce: 'n' },
    })
    await machine.ended
    expect(machine.facts).toEqual([{ name: 'done', status: 0, text: 'done' }])
  })

  it('is started where its network is', async () => {
    const machine = start('echo "in $WHERE" >&2; exit 1', {
      enter: (argv) => ['env', 'WHERE=a network', ...argv],
    })
    expect(await machine.ended).toEqual({ kind: 'died', how: 'ended with 1', stderr: 'in a network' })
  })

  it('tells a restart from a power-off', async () => {
    const machine = start(`event SHUTDOWN '{"guest":true,"reason":"guest-reset"}'`)
    expect(await machine.ended).toEqual({ kind: 'restarted' })
  })

  it('ends what panics, with the lines that follow', async () => {
    const machine = start(
      `echo '[ 1.0] Kernel panic - not syncing: no init' >&5; echo 'Call Trace:' >&5; exec sleep 1000`,
    )
    expect(await machine.ended).toEqual({
      kind: 'problem',
      problem: { kind: 'panic', line: '[ 1.0] Kernel panic - not syncing: no init' },
    })
    expect(machine.console.tail()).toBe('[ 1.0] Kernel panic - not syncing: no init\nCall Trace:')
  })

  it.each<[string, Partial<MachineOptions['limits']>, Ending]>([
    ['exec sleep 1000', { silenceMs: 50 }, { kind: 'silent', seconds: 0.05 }],
    ['while echo busy >&5; do :; done', { totalMs: 200 }, { kind: 'too-long', seconds: 0.2 }],
    [`printf 'host login: ' >&5; exec sleep 1000`, { answerMs: 50 }, { kind: 'no-answer', seconds: 0.05 }],
  ])('ends %s', async (script, over, ending) => {
    expect(await start(script, { limits: { ...limits, ...over } }).ended).toEqual(ending)
  })

  it.each<[string, Partial<MachineLimits>, Ending]>([
    ['exec sleep 1000', { silenceMs: 50 }, { kind: 'silent', seconds: 0.05 }],
    [`printf 'host login: ' >&5; exec sleep 1000`, { answerMs: 50 }, { kind: 'no-answer', seconds: 0.05 }],
  ])('counts for %s only the time in which it could run', async (script, over, ending) => {
    const started = performance.now()
    // It begins to run after as long as it is given.
    const waitedMs = (): number => Math.min(50, performance.now() - started)
    const machine = start(script, { limits: { ...limits, ...over }, waitedMs })
    expect(await machine.ended).toEqual(ending)
    expect(performance.now() - started).toBeGreaterThan(99)
  })

  it('does not let a machine wait for a processor for ever', async () => {
    const machine = start('exec sleep 1000', {
      limits: { ...limits, silenceMs: 20, totalMs: 200 },
      waitedMs: () => performance.now(),
    })
    expect(await machine.ended).toEqual({ kind: 'too-long', seconds: 0.2 })
  })

  it('ends a qemu that ignores SIGTERM', async () => {
    const machine = start(`trap '' TERM; while :; do read -r line <&3; done`, {
      limits: { ...limits, silenceMs: 50 },
    })
    expect(await machine.ended).toEqual({ kind: 'silent', seconds: 0.05 })
  })

  it('does not wait for a guest that KVM cannot run', async () => {
    const machine = start(`echo 'KVM internal error. Suberror: 1' >&2; exec sleep 1000`)
    expect(await machine.ended).toEqual({ kind: 'kvm-failed' })
  })

  it('does not wait for a guest whose overlay has no space', async () => {
    const machine = start(`event BLOCK_IO_ERROR '{"action":"stop","nospace":true}'; exec sleep 1000`)
    expect(await machine.ended).toEqual({ kind: 'no-space' })
  })

  it('says how qemu was lost', async () => {
    expect(await start(`echo 'no such file' >&2; exit 1`).ended).toEqual({
      kind: 'died',
      how: 'ended with 1',
      stderr: 'no such file',
    })
    expect(await start('kill -SEGV $$').ended).toMatchObject({ kind: 'died', how: 'was killed by SIGSEGV' })
  })

  it('is stopped by an interrupt, also one that came before it started', async () => {
    const controller = new AbortController()
    const machine = start('exec sleep 1000', { signal: controller.signal })
    controller.abort()
    expect(await machine.ended).toEqual({ kind: 'stopped' })
    expect(await start('exec sleep 1000', { signal: AbortSignal.abort() }).ended).toEqual({ kind: 'stopped' })
  })
})
