import { describe, expect, it } from 'vitest'
import { firstboot } from '../../recipes/firstboot.ts'
import { secret } from '../../tasks/plan/secret.ts'
import { factsOf } from './facts.ts'

describe('firstboot', () => {
  it('boots the image with a script', () => {
    const recipe = firstboot('firstboot/ready.sh')
    expect(recipe).toMatchObject({
      name: 'firstboot',
      mode: 'boot',
      parent: 'required',
      inputs: { script: { kind: 'text', path: 'firstboot/ready.sh' } },
      weight: { memory: 1024, machines: 1 },
    })
    expect(recipe.steps(factsOf('echo ready\n'))).toEqual([
      {
        do: 'firstboot',
        script: 'echo ready\n',
        exitCodes: [0],
        label: 'firstboot/ready.sh',
        machine: { memory: 1024 },
      },
    ])
  })

  it('takes repositories, environment, secrets, exit codes and a machine', () => {
    const token = secret('token')
    const recipe = firstboot('join.sh', {
      suite: 'trixie',
      env: { A: 'b' },
      secrets: [token],
      exitCodes: [0, 2],
      limit: 60,
      memory: 2048,
      firmware: 'uefi',
    })
    expect(recipe.inputs).toMatchObject({
      apt: { kind: 'apt', suite: 'trixie' },
      'secret token': { kind: 'secret', secret: token },
    })
    expect(recipe.steps(factsOf(''))).toEqual([
      {
        do: 'firstboot',
        script: '',
        secrets: ['secret token'],
        env: { A: 'b' },
        apt: 'apt',
        exitCodes: [0, 2],
        label: 'join.sh',
        machine: { memory: 2048, limit: 60, firmware: 'uefi' },
      },
    ])
  })

  it.each([
    ['', {}, 'firstboot: the script is "", not a path'],
    [{ script: 'a' }, {}, 'firstboot: the script is {"script":"a"}, not a path'],
    [
      'a.sh',
      { exitCodes: [0, 256] },
      'firstboot: "exitCodes" is [0,256], whose item 1 is 256, not an exit code',
    ],
    ['a.sh', { limit: 0 }, 'firstboot: "limit" is 0, not a whole number above 0'],
    ['a.sh', { firmware: 'efi' }, 'firstboot: "firmware" is "efi", not bios or uefi'],
    [
      'a.sh',
      { secrets: ['token'] },
      `firstboot: "secrets" is ["token"], whose item 0 is "token", not a secret: write secret('name')`,
    ],
    [
      'a.sh',
      { env: { 'MY-NAME': 'a' } },
      'firstboot: "env" is {"MY-NAME":"a"}, whose "MY-NAME" is no name: letters, digits and _',
    ],
    ['a.sh', { exitCode: 0 }, 'firstboot: unknown option "exitCode"'],
  ])('refuses %j with %j', (script, options, message) => {
    expect(() => firstboot(script as string, options as never)).toThrow(expect.objectContaining({ message }))
  })
})
