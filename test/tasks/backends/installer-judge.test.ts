import { expect, test } from 'vitest'
import { judgeInstallation, type InstallerEnding } from '../../../tasks/backends/installer-judge.ts'
import { noLibvirt } from '../../../tasks/backends/libvirt-start.ts'
import { installStep } from '../../rig/install-step.ts'

const about = { layer: 'install:web', step: installStep(), console: 'the console', said: 'virt-install says' }
const ended = (report: number | undefined, exitCode = 0): InstallerEnding => ({
  kind: 'ended',
  exitCode,
  report,
})

test('only the report is success', () => {
  expect(judgeInstallation(ended(0), about)).toBeUndefined()
  // The domain may be gone before virt-install has asked for it.
  expect(judgeInstallation(ended(0, 1), about)).toBeUndefined()
})

test.each<[InstallerEnding, string, string]>([
  [
    ended(undefined),
    'layer install:web: the machine powered off before the installer reported that it was done',
    'read the console above: the installer gave up, or was told to end early',
  ],
  [
    ended(3),
    'layer install:web: preseed/late_command failed with exit code 3',
    'run `img log install:web` for what it said',
  ],
  [
    { kind: 'stopped', stop: { kind: 'silent', seconds: 300 } },
    'layer install:web: the installer said nothing and wrote nothing for 300 s',
    'raise the option silence of install() if the machine is only slow, else read the console above',
  ],
  [
    { kind: 'stopped', stop: { kind: 'too-long', seconds: 3600 } },
    'layer install:web: the installation was not done within 3600 s',
    'raise the option limit of install() if the machine is only slow, else read the console above',
  ],
  [
    {
      kind: 'stopped',
      stop: { kind: 'problem', problem: { kind: 'question', text: 'Bad mirror\nTry another.' } },
    },
    'layer install:web: the installer stopped at a question:\n  Bad mirror\n  Try another.',
    'answer it in the answer file, or correct what it complains about',
  ],
  [
    {
      kind: 'stopped',
      stop: { kind: 'problem', problem: { kind: 'panic', text: 'Attempted to kill init!' } },
    },
    "layer install:web: the installer's kernel panicked: Attempted to kill init!",
    'give the machine more memory, or set IMG_ACCEL=tcg if this happens with KVM only',
  ],
  [
    { kind: 'stopped', stop: { kind: 'problem', problem: { kind: 'emergency', text: 'dracut:/#' } } },
    'layer install:web: the installer stopped in an emergency shell: dracut:/#',
    'read the console above; most often the medium or its repository was not found',
  ],
])('%j', (ending, message, hint) => {
  const { code, message: said, fields } = judgeInstallation(ending, about) ?? {}
  expect({ code, said, fields }).toEqual({
    code: 'STEP_FAILED',
    said: message,
    fields: { layer: 'install:web', hint, output: 'the console' },
  })
})

test('a machine that never started', () => {
  const { message, fields } = judgeInstallation(ended(undefined, 1), { ...about, console: '' }) ?? {}
  expect(message).toBe('layer install:web: virt-install failed with exit code 1 before anything was booted')
  expect(fields).toEqual({
    layer: 'install:web',
    output: 'virt-install says',
    hint: 'look at what virt-install says; `img doctor` tells what is missing',
  })
})

test('a libvirt that never started', () => {
  const ending = ended(undefined, noLibvirt)
  const { message, fields } =
    judgeInstallation(ending, { ...about, console: '', said: 'libvirtd says' }) ?? {}
  expect(message).toBe('layer install:web: libvirtd did not start')
  expect(fields).toEqual({
    layer: 'install:web',
    output: 'libvirtd says',
    hint: 'look at what libvirtd says; `img doctor` tells what is missing',
  })
})

test.each([
  ['kickstart', 'a script of the kickstart failed with exit code 1'],
  ['autoinstall', 'the installation failed with exit code 1'],
] as const)('%s', (kind, message) => {
  expect(judgeInstallation(ended(1), { ...about, step: installStep(kind) })?.message).toBe(
    `layer install:web: ${message}`,
  )
})
