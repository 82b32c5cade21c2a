import { describe, expect, it } from 'vitest'
import { makeBootScript, toBootReport } from '../../../tasks/backends/boot-report.ts'
import { runProgram } from '../../../tasks/run/process.ts'
import { expectSchema } from '../../rig/schema.ts'

const fact = (name: string, text = ''): { name: string; status: number; text: string } => ({
  name,
  status: 0,
  text,
})

describe('toBootReport', () => {
  it('is nothing while the guest has not said that it is done', () => {
    expect(toBootReport([fact('hello'), fact('state', 'running')])).toBe(undefined)
  })

  it('reads what a guest says', () => {
    const report = toBootReport([
      fact('hello'),
      fact('jobs', '12 a.service start running'),
      fact('state', 'degraded'),
      fact('multi-user', 'active'),
      fact('failed-units', 'a.service loaded failed failed A\nb.mount loaded failed failed B'),
      fact('failed-log', 'it broke'),
      fact('hostname', 'node'),
      fact('machine-id', '0123456789abcdef0123456789abcdef'),
      fact('host-keys', 'bb\naa'),
      fact('duids', '00:01'),
      fact('random-seed', 'cc'),
      fact(
        'packages',
        'installed bash 5.2-1\nconfig-files gone 1\nhalf-installed broken 2\ninstalled zlib1g:amd64 1.3',
      ),
      fact('audit', ''),
      fact(
        'services',
        `Id=ssh.service
LoadState=loaded
ActiveState=active
UnitFileState=enabled
ConditionResult=yes
ConditionTimestamp=Sun 2026-11-22 17:00:00 UTC
asked=ssh

Id=ceph-osd.target
LoadState=loaded
ActiveState=inactive
UnitFileState=enabled
ConditionResult=no
ConditionTimestamp=Sun 2026-11-22 17:00:00 UTC
asked=ceph-osd.target

Id=never.service
LoadState=not-found
ActiveState=inactive
UnitFileState=
ConditionResult=no
ConditionTimestamp=
asked=never`,
      ),
      fact(
        'listening',
        'tcp   LISTEN 0      128          0.0.0.0:22        0.0.0.0:*\nudp UNCONN 0 0 127.0.0.1:323 0.0.0.0:*\ntcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:*',
      ),
      fact('kernel-errors', 'EXT4-fs error (device vda1)'),
      fact('root', 'Filesystem 1-blocks Used Available Capacity Mounted on\n/dev/vda1 1000 400 600 40% /'),
      fact('end'),
    ])
    expect(report).toEqual({
      state: 'degraded',
      multiUser: true,
      failedUnits: ['a.service', 'b.mount'],
      failedLog: 'it broke',
      hostname: 'node',
      machineId: '0123456789abcdef0123456789abcdef',
      hostKeys: ['aa', 'bb'],
      duids: ['00:01'],
      randomSeed: 'cc',
      packages: { bash: '5.2-1', 'zlib1g:amd64': '1.3' },
      audit: '',
      services: {
        ssh: { loaded: true, active: true, waitsForCondition: false, enabled: 'enabled' },
        'ceph-osd.target': { loaded: true, active: false, waitsForCondition: true, enabled: 'enabled' },
        never: { loaded: false, active: false, waitsForCondition: false, enabled: '' },
      },
      listening: ['tcp 0.0.0.0:22', 'udp 127.0.0.1:323'],
      kernelErrors: ['EXT4-fs error (device vda1)'],
      rootSize: 1000,
      rootFree: 600,
    })
    const result = { layer: 'role:a', kept: false, passed: false, checks: [], boots: [report], ms: 1 }
    expectSchema('watch', { ...result, accelerator: 'tcg', firmware: 'uefi', console: 'panic', hint: 'look' })
    expectSchema('test', { layers: [result] })
  })
})

describe('makeBootScript', () => {
  it('is a shell script, also with names that need quoting', async () => {
    const script = makeBootScript(['ssh', "it's", 'getty@tty1.service'], 'tcg')
    expect(await runProgram(['sh', '-n'], { input: script })).toMatchObject({ exitCode: 0, stderr: '' })
    expect(script).toContain(` sh 'ssh' 'it'\\''s' 'getty@tty1.service'\n`)
  })

  it('asks for every fact a report is made of', () => {
    const asked = [...makeBootScript([], 'kvm').matchAll(/^(?:fact|say) (\S+)/gm)].map(([, name]) => name)
    expect(asked).toEqual([
      'state',
      'multi-user',
      'failed-units',
      'failed-log',
      'hostname',
      'machine-id',
      'host-keys',
      'duids',
      'random-seed',
      'packages',
      'audit',
      'services',
      'listening',
      'kernel-errors',
      'root',
      'end',
    ])
  })

  const lockup = [
    'watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [systemd:1]',
    'Call Trace:',
    ' <TASK>',
    ' clear_page_erms+0x7/0x10',
    ' </TASK>',
  ]
  const broken = ['EXT4-fs error (device vda1)', 'BUG: unable to handle page fault', 'Call Trace:']

  it.each([
    ['tcg', broken],
    ['kvm', [lockup[0], lockup[1], ...broken]],
  ] as const)('with %s, trouble of the kernel is told', async (accelerator, told) => {
    const [, asked] = /^fact kernel-errors (.*)$/m.exec(makeBootScript([], accelerator)) ?? []
    const lines = ['fine', ...lockup, ...broken, 'fine'].map((line) => `echo '${line}'`).join('; ')
    const { stdout } = await runProgram([
      'bash',
      '-c',
      `journalctl() { ${lines}; }; export -f journalctl; ba${asked}`,
    ])
    expect(stdout.trimEnd().split('\n')).toEqual(told)
  })
})
