import { expect, test } from 'vitest'
import type { BackendProbe } from '../../../tasks/backends/backend.ts'
import { fakeBackend } from '../../../tasks/backends/fake.ts'
import type { Step } from '../../../tasks/plan/step.ts'
import { chooseBackend, probeBackends } from '../../../tasks/run/choose-backend.ts'
import { testContext } from '../../rig/run-context.ts'

const write: Step = { do: 'write', path: '/a', content: '', mode: '0644' }
const trim: Step = { do: 'trim' }
const onDisk = { layer: 'base:a', isFirst: false, foreign: false }

const backend = (
  name: string,
  steps: readonly Step['do'][],
  probe: BackendProbe,
): ReturnType<typeof fakeBackend> => fakeBackend({ name, steps: new Set(steps), probe })
const works: BackendProbe = { available: true }
const chroot = backend('chroot', ['write'], { available: true, firstOnly: true })
const appliance = backend('appliance', ['write', 'trim'], works)
const absent = backend('appliance', ['write', 'trim'], {
  available: false,
  reason: 'guestfish not installed',
  hint: 'install libguestfs-tools',
})

test('the first that has the step and can change a disk takes it', async () => {
  const choice = await probeBackends('chroot', [chroot, appliance], testContext())
  expect(chooseBackend(choice, write, { layer: 'install:a', isFirst: true, foreign: false }).name).toBe(
    'chroot',
  )
  expect(chooseBackend(choice, write, onDisk).name).toBe('appliance')
  expect(chooseBackend(choice, trim, onDisk).name).toBe('appliance')
})

test('IMG_BACKEND puts one before the others, which still do what it cannot', async () => {
  const root = backend('chroot', ['write', 'apt'], works)
  const context = testContext({ env: { IMG_BACKEND: 'appliance' } })
  const choice = await probeBackends('chroot', [root, appliance], context)
  expect(chooseBackend(choice, write, onDisk).name).toBe('appliance')
  const apt: Step = { do: 'apt', apt: 'apt', install: ['hello'], remove: [], recommends: false }
  expect(chooseBackend(choice, apt, onDisk).name).toBe('chroot')
})

test('IMG_BACKEND must name a backend', async () => {
  const context = testContext({ env: { IMG_BACKEND: 'aplliance' } })
  await expect(probeBackends('chroot', [chroot, appliance], context)).rejects.toMatchObject({
    code: 'USAGE',
    message: 'IMG_BACKEND is "aplliance"',
    fields: { hint: 'did you mean appliance?', validOptions: ['chroot', 'appliance'] },
  })
})

test('a step nobody can take says what each lacks', async () => {
  const choice = await probeBackends('chroot', [chroot, absent], testContext())
  expect(() => chooseBackend(choice, write, onDisk)).toThrow(
    expect.objectContaining({
      code: 'BACKEND_UNAVAILABLE',
      message:
        'layer base:a: no backend here can do write: chroot cannot change a disk without root; appliance: guestfish not installed',
      fields: { layer: 'base:a', hint: 'install libguestfs-tools' },
    }),
  )
  const lonely = await probeBackends('chroot', [chroot], testContext())
  expect(() => chooseBackend(lonely, trim, onDisk)).toThrow(
    expect.objectContaining({
      message: 'layer base:a: no backend here can do trim',
      fields: { layer: 'base:a', hint: 'there is chroot; run `img doctor` to see what others miss' },
    }),
  )
})

test('what strangers made is not mounted by this kernel', async () => {
  const namespace = fakeBackend({
    name: 'namespace',
    steps: new Set(['write', 'trim']),
    mounts: new Set(['write']),
  })
  const foreign = { ...onDisk, foreign: true }
  const both = await probeBackends('chroot', [namespace, appliance], testContext())
  expect(chooseBackend(both, write, onDisk).name).toBe('namespace')
  expect(chooseBackend(both, write, foreign).name).toBe('appliance')
  expect(chooseBackend(both, trim, foreign).name).toBe('namespace')
  const alone = await probeBackends('chroot', [namespace, absent], testContext())
  expect(() => chooseBackend(alone, write, foreign)).toThrow(
    expect.objectContaining({
      code: 'BACKEND_UNAVAILABLE',
      message:
        "layer base:a: no backend here can do write: namespace would let this machine's kernel mount what others made; appliance: guestfish not installed",
    }),
  )
})
