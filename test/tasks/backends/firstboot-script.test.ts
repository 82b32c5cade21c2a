import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { makeFirstboot, readFirstboot, type Firstboot } from '../../../tasks/backends/firstboot-script.ts'

const plain: Firstboot = { script: 'echo hello\n', limit: 60, env: {}, files: [], hosts: [] }

describe('makeFirstboot', () => {
  it('is shell, whatever it carries', () => {
    const { text } = makeFirstboot({
      ...plain,
      script: '#!/usr/bin/env -S bash -eu\nexit 1',
      env: { GREETING: "it's $HOME" },
      files: [{ path: 'secrets/token', mode: '0400', content: Buffer.from('value') }],
      hosts: ['10.0.2.2 puppet.example.org'],
      prepare: 'apt-get update',
    })
    execFileSync('sh', ['-n'], { input: text })
    expect(text).toContain(`export GREETING='it'\\''s $HOME'\n`)
    expect(text).toContain(`timeout -k 30 60 '/usr/bin/env' '-S' 'bash' '-eu' /run/img/firstboot/script `)
    expect(text).not.toContain('value')
  })

  it('sends each file at the length it is read with, the script last', () => {
    const files = [
      { path: 'secrets/token', mode: '0400', content: Buffer.from('ü\0\n') },
      { path: 'apt/keyring.gpg', mode: '0644', content: Buffer.from([255, 0]) },
    ] as const
    const { text, payload } = makeFirstboot({ ...plain, files })
    expect(Buffer.from(payload)).toEqual(
      Buffer.concat([...files.map(({ content }) => content), Buffer.from(plain.script)]),
    )
    expect(text.match(/^mkdir -p .*$/gm)?.slice(1)).toEqual([
      'mkdir -p /run/img/firstboot/secrets && head -c 4 <&3 >/run/img/firstboot/secrets/token && chmod 0400 /run/img/firstboot/secrets/token',
      'mkdir -p /run/img/firstboot/apt && head -c 2 <&3 >/run/img/firstboot/apt/keyring.gpg && chmod 0644 /run/img/firstboot/apt/keyring.gpg',
      'mkdir -p /run/img/firstboot && head -c 11 <&3 >/run/img/firstboot/script && chmod 0400 /run/img/firstboot/script',
    ])
  })
})

const fact = (name: string, text = '', status = 0): { name: string; text: string; status: number } => ({
  name,
  text,
  status,
})

describe('readFirstboot', () => {
  it('reads how the script ended and what it left', () => {
    expect(
      readFirstboot([
        fact('hello'),
        fact('began'),
        fact('alive'),
        fact('out:facts.json', '{}'),
        fact('done', '100 130', 2),
      ]),
    ).toEqual({
      began: true,
      ended: { exitCode: 2, seconds: 30 },
      out: { 'facts.json': '{}' },
      jobs: '',
    })
  })

  it('reads what a machine waited for that did not get there', () => {
    expect(readFirstboot([fact('hello'), fact('jobs', 'a'), fact('jobs', ' 12 b.service\n start ')])).toEqual(
      {
        began: false,
        out: {},
        jobs: '12 b.service start',
      },
    )
    expect(readFirstboot([fact('unprepared', '', 100), fact('done', '1 2', 100)])).toMatchObject({
      unprepared: 100,
    })
  })
})
