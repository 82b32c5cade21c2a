import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findReport, makeInstallerFiles } from '../../../tasks/backends/installer-files.ts'
import { installStep } from '../../rig/install-step.ts'
import { testContext } from '../../rig/run-context.ts'

const mirror = {
  packages: 'http://10.0.2.2:3180/debian',
  security: 'http://10.0.2.2:3180/debian-security',
  unsigned: true,
}

describe('preseed', () => {
  test('the answers, then what only this build needs', () => {
    const { inject, arguments: words, seed } = makeInstallerFiles(installStep(), { nonce: 'n1', mirror })
    expect(Object.keys(inject)).toEqual(['preseed.cfg', 'img-finish'])
    expect(inject['preseed.cfg']?.split('\n').slice(3)).toEqual([
      'd-i mirror/country string manual',
      'd-i mirror/protocol select http',
      'd-i mirror/http/hostname string 10.0.2.2:3180',
      'd-i mirror/http/directory string /debian',
      'd-i mirror/http/proxy string',
      'd-i apt-setup/security_host string 10.0.2.2:3180',
      'd-i debian-installer/allow_unauthenticated boolean true',
      'd-i preseed/late_command string sh /img-finish',
      'd-i debian-installer/exit/poweroff boolean true',
      '',
    ])
    expect(words).toEqual(['console=ttyS0'])
    expect(seed).toBeUndefined()
  })

  test('a mirror whose list is signed is checked', () => {
    const { inject } = makeInstallerFiles(installStep(), {
      nonce: 'n1',
      mirror: { ...mirror, unsigned: false },
    })
    expect(inject['preseed.cfg']).not.toContain('allow_unauthenticated')
  })

  test('runs the late_command as it is written and reports its status', () => {
    const { root, output } = finish(String.raw`echo "a'b" $((1+1)) >/target/hello; exit 3`)
    expect(readFileSync(join(root, 'target/hello'), 'utf8')).toBe("a'b 2\n")
    expect(findReport(output, 'n1')).toBe(3)
  })

  test('leaves no trace of the mirror', () => {
    const { root, output } = finish('true')
    expect(readFileSync(join(root, 'target/etc/apt/sources.list'), 'utf8')).toBe(
      `deb http://ftp.example.org/debian/ trixie main
deb http://security.debian.org/debian-security trixie-security main
deb http://ftp.example.org/debian trixie-updates main
URIs: http://ftp.example.org/debian
`,
    )
    expect(execFileSync('ls', [join(root, 'target/etc/apt/apt.conf.d')], { encoding: 'utf8' })).toBe('')
    expect(findReport(output, 'n1')).toBe(0)
  })
})

/** The script with the installer's fixed places moved below a folder. */
function finish(late: string): { readonly root: string; readonly output: string } {
  const { root } = testContext()
  const step = installStep()
  const text = `${step.answers.text}d-i preseed/late_command string ${late}\n`
  const { inject } = makeInstallerFiles(
    { ...step, answers: { kind: 'preseed', text } },
    { nonce: 'n1', mirror },
  )
  mkdirSync(join(root, 'target/etc/apt/sources.list.d'), { recursive: true })
  mkdirSync(join(root, 'target/etc/apt/apt.conf.d'), { recursive: true })
  writeFileSync(join(root, 'target/etc/apt/apt.conf.d/00AllowUnauthenticated'), '')
  writeFileSync(
    join(root, 'target/etc/apt/sources.list'),
    `deb http://10.0.2.2:3180/debian/ trixie main
deb http://10.0.2.2:3180/debian-security trixie-security main
deb http://10.0.2.2:3180/debian trixie-updates main
URIs: http://10.0.2.2:3180/debian
`,
  )
  const script = (inject['img-finish'] ?? '')
    .replaceAll('/tmp/img-late', join(root, 'img-late'))
    .replaceAll('/target', join(root, 'target'))
    .replace(/^chroot .*$/m, '')
    // A character device, as the port is.
    .replace('/dev/virtio-ports/img.report /dev/ttyS0', '/dev/null')
    .replace('>"$to"', '')
  return { root, output: execFileSync('sh', ['-c', script], { encoding: 'utf8' }) }
}

test('a kickstart reports from its last script, or when one failed', () => {
  const { inject, arguments: words } = makeInstallerFiles(installStep('kickstart'), { nonce: 'n1', mirror })
  expect(inject).toEqual({
    'ks.cfg': `lang C

%packages
%end

%post
for to in /dev/virtio-ports/img.report /dev/ttyS0; do
  [ ! -c "$to" ] || printf '\\nimg-report n1 %s\\n' "0" >"$to"
done
%end

%onerror
for to in /dev/virtio-ports/img.report /dev/ttyS0; do
  [ ! -c "$to" ] || printf '\\nimg-report n1 %s\\n' "1" >"$to"
done
%end
`,
  })
  expect(words).toEqual(['inst.ks=file:/ks.cfg', 'inst.repo=http://10.0.2.2:3180/debian', 'console=ttyS0'])
})

test('an autoinstall is a disk of cloud-init', () => {
  const {
    inject,
    seed,
    arguments: words,
  } = makeInstallerFiles(installStep('autoinstall'), { nonce: 'n1', mirror })
  expect(inject).toEqual({})
  expect(words).toEqual(['console=ttyS0', 'ds=nocloud'])
  expect(seed?.['meta-data']).toBe('instance-id: img-n1\n')
  const [head, ...rest] = (seed?.['user-data'] ?? '').split('\n')
  expect(head).toBe('#cloud-config')
  const { autoinstall } = JSON.parse(rest.join('\n'))
  expect(autoinstall).toMatchObject({
    version: 1,
    apt: { primary: [{ arches: ['default'], uri: 'http://10.0.2.2:3180/debian' }] },
    'late-commands': [
      'true',
      ['sh', '-c', expect.stringContaining('rename_mirror ')],
      ['sh', '-c', expect.stringContaining('img-report n1 %s')],
    ],
    'error-commands': [['sh', '-c', expect.stringContaining('"1"')]],
  })
})

test.each([
  [undefined, 'http://archive.ubuntu.com/ubuntu'],
  [{ primary: [{ uri: 'http://no.archive.example.org/ubuntu/' }] }, 'http://no.archive.example.org/ubuntu'],
])('an autoinstall leaves no trace of the mirror: %j', (apt, published) => {
  const { root } = testContext()
  const step = installStep('autoinstall')
  const answers = { kind: 'autoinstall' as const, text: JSON.stringify({ version: 1, apt }) }
  const used = { packages: 'http://10.0.2.2:3180/ubuntu', unsigned: false }
  const { seed } = makeInstallerFiles({ ...step, answers }, { nonce: 'n1', mirror: used })
  const { autoinstall } = JSON.parse((seed?.['user-data'] ?? '').split('\n').slice(1).join('\n'))
  const [program, ...words] = autoinstall['late-commands'][0] as readonly string[]
  const list = join(root, 'target/etc/apt/sources.list.d/ubuntu.sources')
  mkdirSync(dirname(list), { recursive: true })
  writeFileSync(list, 'URIs: http://10.0.2.2:3180/ubuntu/\nURIs: http://10.0.2.2:3180/ubuntu\n')
  execFileSync(
    program ?? '',
    words.map((word) => word.replaceAll('/target/', `${root}/target/`)),
  )
  expect(readFileSync(list, 'utf8')).toBe(`URIs: ${published}/\nURIs: ${published}\n`)
})

test.each([
  ['img-report n1 0\nlater\nimg-report n1 1\n', 1],
  ['\nimg-report n1 0\n', 0],
  ['[ 9.1] noise\r\nimg-report n1 12\r\n', 12],
  ['img-report other 0\n', undefined],
  ['', undefined],
])('the report in %j', (text, status) => {
  expect(findReport(text, 'n1')).toBe(status)
})
