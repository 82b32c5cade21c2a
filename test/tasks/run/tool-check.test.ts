import { describe, expect, it } from 'vitest'
import { checkTool, isOlder } from '../../../tasks/run/tool-check.ts'
import { fakePrograms } from '../../rig/fake-programs.ts'
import { testContext } from '../../rig/run-context.ts'

describe('checkTool', () => {
  it.each([
    ['echo "QEMU emulator version 7.2.22 (Debian 1:7.2)"', { status: 'ok', found: '7.2.22' }],
    [
      'echo "version 4.0.1" >&2',
      { status: 'missing', found: '4.0.1', hint: 'too old to run and test images' },
    ],
    ['echo unknown', { status: 'ok', found: expect.stringMatching(/qemu-system-x86_64$/) }],
  ])('reads the version from %s', async (script, finding) => {
    const { path } = fakePrograms({ 'qemu-system-x86_64': script })
    expect(await checkTool('qemu-system-x86_64', testContext(), path)).toEqual({
      name: 'qemu-system-x86_64',
      package: 'qemu-system-x86',
      wanted: '5.2',
      ...finding,
    })
  })

  it('calls missing what is needed, and limiting what is not', async () => {
    const { folder } = fakePrograms({})
    expect(await checkTool('mmdebstrap', testContext(), folder)).toEqual({
      name: 'mmdebstrap',
      package: 'mmdebstrap',
      wanted: '1.3',
      status: 'missing',
      found: 'nothing',
      hint: 'needed to install Debian and Ubuntu',
    })
    expect(await checkTool('ssh', testContext(), folder)).toEqual({
      name: 'ssh',
      package: 'openssh-client',
      status: 'limited',
      found: 'nothing',
      hint: 'needed to log in to a running image',
    })
  })
})

it.each([
  ['1.2', '1.10', true],
  ['1.10', '1.2', false],
  ['2', '2.0.0', false],
  ['2.0', '2.0.1', true],
  ['10', '9.9', false],
])('isOlder(%s, %s) is %s', (found, wanted, older) => {
  expect(isOlder(found, wanted)).toBe(older)
})
