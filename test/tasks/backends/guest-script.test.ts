import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { makeGuestCredentials, parseGuestFact } from '../../../tasks/backends/guest-script.ts'

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

describe('makeGuestCredentials', () => {
  const files = filesOf(
    makeGuestCredentials({
      text: 'fact both sh -c "echo \\"a\\"; echo ü >&2; exit 3"\nsay end\n',
      nonce: 'n-1',
    }),
  )

  it('lays a script, a unit and a rule below /run only', () => {
    expect(Object.keys(files)).toEqual([
      '/run/img/script',
      '/run/udev/rules.d/99-img.rules',
      '/run/systemd/system/img-script.service',
    ])
    expect(files['/run/udev/rules.d/99-img.rules']).toBe(
      'ACTION=="add", SUBSYSTEM=="virtio-ports", ATTR{name}=="img.start", TAG+="systemd", ENV{SYSTEMD_WANTS}+="img-script.service"\n',
    )
    expect(files['/run/systemd/system/img-script.service']).toContain(
      'Type=exec\nExecStart=/bin/sh /run/img/script\n',
    )
  })

  it('reports as lines that can be read back, whatever a command says', () => {
    const script = (files['/run/img/script'] ?? '').replace(
      'exec 3<>/dev/virtio-ports/img.report </dev/null >/dev/null 2>&1',
      'exec 3>&1',
    )
    const lines = execFileSync('sh', ['-c', script], { encoding: 'utf8' }).trim().split('\n')
    expect(lines.map((line) => parseGuestFact(line, 'n-1'))).toEqual([
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
