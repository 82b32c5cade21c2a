import { describe, expect, it } from 'vitest'
import type { ImgError } from '../../../tasks/errors.ts'
import { judgeFirstboot, type FirstbootRun } from '../../../tasks/backends/firstboot-judge.ts'
import type { PuppetAgent } from '../../../tasks/plan/step.ts'
import type { FirstbootReport } from '../../../tasks/backends/firstboot-script.ts'

const report: FirstbootReport = { began: true, ended: { exitCode: 0, seconds: 12 }, out: {}, jobs: '' }
const run: FirstbootRun = {
  layer: 'role:web',
  step: { label: 'firstboot/join.sh', exitCodes: [0, 2] },
  ending: { kind: 'powered-off' },
  limit: 60,
  console: 'the console',
  output: 'one\ntwo\n',
}
const { ended: _, ...unfinished } = report

function errorOf(of: Partial<FirstbootReport>, over: Partial<FirstbootRun> = {}): ImgError {
  try {
    judgeFirstboot(
      { ...('ended' in of && of.ended === undefined ? unfinished : report), ...withoutUndefined(of) },
      { ...run, ...over },
    )
  } catch (error) {
    return error as ImgError
  }
  throw new Error('it passed')
}

const withoutUndefined = (of: Partial<FirstbootReport>): Partial<FirstbootReport> =>
  Object.fromEntries(Object.entries(of).filter(([, value]) => value !== undefined))

const stuck = 'read the console above; the machine itself stood still, not only the script'
const early = 'let the script end instead: the machine is powered off when it has'
const log = 'run `img log role:web` for the whole output'

describe('judgeFirstboot', () => {
  it('lets pass a script that ended well, in a machine that powered off', () => {
    expect(() => judgeFirstboot(report, run)).not.toThrow()
    expect(() => judgeFirstboot({ ...report, ended: { exitCode: 2, seconds: 1 } }, run)).not.toThrow()
  })

  it.each<[string, Partial<FirstbootReport>, Partial<FirstbootRun>, ...string[]]>([
    [
      'an exit code',
      { ended: { exitCode: 1, seconds: 1 } },
      {},
      'firstboot/join.sh failed with exit code 1',
      log,
      'one\ntwo',
    ],
    [
      'its own 124',
      { ended: { exitCode: 124, seconds: 1 } },
      {},
      'firstboot/join.sh failed with exit code 124',
      log,
      'one\ntwo',
    ],
    [
      'a time limit',
      { ended: { exitCode: 124, seconds: 60 } },
      {},
      'firstboot/join.sh was not done within 60 s',
      'raise the limit of the recipe if the script is only slow, else see in its output what it waited for',
      'one\ntwo',
    ],
    [
      'what comes before it',
      { unprepared: 100, ended: { exitCode: 100, seconds: 1 } },
      {},
      'what firstboot/join.sh needs could not be prepared (exit code 100)',
      log,
      'one\ntwo',
    ],
    [
      'an early power-off',
      { ended: undefined as never },
      {},
      'while firstboot/join.sh ran, the machine powered off',
      early,
      'the console',
    ],
    [
      'a restart',
      { ended: undefined as never },
      { ending: { kind: 'restarted' } },
      'while firstboot/join.sh ran, the machine restarted',
      early,
      'the console',
    ],
    [
      'a power-off while it boots',
      { began: false, ended: undefined as never, jobs: '12 a.service start' },
      {},
      'before firstboot/join.sh began, the machine powered off; systemd still waits for: 12 a.service start',
      early,
      'the console',
    ],
    [
      'a hang',
      { ended: undefined as never },
      { ending: { kind: 'silent', seconds: 90 } },
      'while firstboot/join.sh ran, the machine said nothing for 90 s',
      stuck,
      'the console',
    ],
    [
      'the total limit',
      { began: false, ended: undefined as never },
      { ending: { kind: 'too-long', seconds: 900 } },
      'before firstboot/join.sh began, the machine was not done within 900 s',
      stuck,
      'the console',
    ],
    [
      'a panic',
      { ended: undefined as never },
      { ending: { kind: 'problem', problem: { kind: 'panic', line: 'Kernel panic - not syncing: sysrq' } } },
      'while firstboot/join.sh ran, the machine panicked: sysrq',
      'read the console above',
      'the console',
    ],
    [
      'an image that does not listen',
      { began: false, ended: undefined as never },
      { ending: { kind: 'no-answer', seconds: 75 } },
      'before firstboot/join.sh began, the machine came up but gave no answer for 75 s',
      'the image needs systemd 250 or newer and the virtio_console kernel module',
      'the console',
    ],
    [
      'a machine that stays on',
      {},
      { ending: { kind: 'silent', seconds: 90 } },
      'after firstboot/join.sh the machine did not power off: it said nothing for 90 s',
      stuck,
      'the console',
    ],
  ])('tells %s', (_name, of, ...[over, message, hint, output]) => {
    const error = errorOf(of, over)
    expect({ code: error.code, message: error.message, fields: error.fields }).toEqual({
      code: 'STEP_FAILED',
      message: `layer role:web: ${message}`,
      fields: { layer: 'role:web', hint, output },
    })
  })

  it.each([
    [1, 'it got no certificate or no catalog, or another run was in its way'],
    [4, 'some resources failed'],
    [6, 'some resources were changed and others failed'],
    [127, 'there is no puppet in the image'],
  ])('knows what %i of an agent means', (exitCode, meaning) => {
    const step = { ...run.step, agent: { server: 'ephemeral' } as PuppetAgent }
    const error = errorOf({ ended: { exitCode, seconds: 1 } }, { step })
    expect(error.message).toBe(`layer role:web: puppet agent ended with ${exitCode}: ${meaning}`)
  })
})
