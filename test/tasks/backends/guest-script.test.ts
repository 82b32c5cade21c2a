import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { encodeGuestScript, guestCredentials, parseGuestFact } from '../../../tasks/backends/guest-script.ts'

/** The files systemd-tmpfiles would make of the credential. */
function filesOf(credentials: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const lines = (credentials['tmpfiles.extra'] ?? '').split('\n').filter((line) => line.startsWith('f+~ '))
  return Object.fromEntries(
    lines.map((line) => {
      const [, path = '', , , , , content = ''] = line.split(' ')
      return [path, Buffer.from(content, 'base64').toString()]
    }),
  )
}

describe('guestCredentials', () => {
  const files = filesOf(guestCredentials)

  it('lay a unit and a rule below /run only', () => {
    expect(Object.keys(files)).toEqual([
      '/run/udev/rules.d/99-img.rules',
      '/run/systemd/system/img-script.service',
    ])
    expect(files['/run/udev/rules.d/99-img.rules']).toBe(
      'ACTION=="add", SUBSYSTEM=="virtio-ports", ATTR{name}=="img.start*", TAG+="systemd", ENV{SYSTEMD_WANTS}+="img-script.service"\n',
    )
    expect(files['/run/systemd/system/img-script.service']).toContain('\nType=exec\nExecStart=/bin/sh -c ')
  })
})

describe('encodeGuestScript', () => {
  it('is one line; run as the unit runs it, its facts can be read back whatever a command says', () => {
    const line = encodeGuestScript({
      text: 'fact both sh -c "echo \\"a\\"; echo ü >&2; exit 3"\nsay end\n',
      nonce: 'n-1',
    })
    expect(line.indexOf('\n')).toBe(line.length - 1)
    const script = `exec 3>&1; read -r script; echo "$script" | base64 -d | { exec 4<&0; sh /dev/fd/4; }`
    const lines = execFileSync('sh', ['-c', script], { encoding: 'utf8', input: line }).trim().split('\n')
    expect(lines.map((fact) => parseGuestFact(fact, 'n-1'))).toEqual([
      { name: 'hello', status: 0, text: '' },
      { name: 'both', status: 3, text: 'a\nü' },
      { name: 'end', status: 0, text: '' },
    ])
  })
})

describe('parseGuestFact', () => {
  it.each([
    'noise',
    'null',
    '{"nonce":"other","fact":"a","status":0,"data":""}',
    '{"nonce":"n","fact":"a","status":"0","data":""}',
    '{"nonce":"n","fact":"a","status":0}',
  ])('ignores %s', (line) => {
    expect(parseGuestFact(line, 'n')).toBe(undefined)
  })
})
