import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { bareMetalFiles } from '../../../tasks/plan/bare-metal.ts'
import { installStep } from '../../rig/install-step.ts'

const about = { layer: 'install:web', medium: [{ path: 'trixie netboot amd64 kernel', digest: 'd1' }] }
const words = ['auto=true', 'DEBIAN_FRONTEND=text', 'TERM=dumb', 'console=ttyS0']

test('a preseed', () => {
  const text = 'd-i time/zone string Etc/UTC\nd-i debian-installer/exit/poweroff boolean true\n'
  const step = installStep('preseed', { arguments: words, answers: { kind: 'preseed', text } })
  const { 'puppet-run.sh': puppet, ...files } = bareMetalFiles(step, about)
  expect(files).toEqual({
    'preseed.cfg': 'd-i time/zone string Etc/UTC\n',
    'kernel-command-line': 'url=http://SERVER/preseed.cfg auto=true console=ttyS0\n',
    'boot.ipxe': `#!ipxe
# Beside this file: the installer's kernel and initrd, and the answers.
# trixie netboot amd64 kernel: sha256 d1
kernel kernel initrd=initrd url=\${cwuri}preseed.cfg auto=true console=ttyS0
initrd initrd
boot
`,
  })
  expect(puppet).toContain('puppet agent --onetime --no-daemonize --no-splay --verbose --color false')
})

test('a kickstart restarts into what it installed', () => {
  const step = installStep('kickstart', { answers: { kind: 'kickstart', text: 'lang C\npoweroff\n' } })
  expect(bareMetalFiles(step, about)).toMatchObject({
    'ks.cfg': 'lang C\nreboot\n',
    'kernel-command-line': 'inst.ks=http://SERVER/ks.cfg console=ttyS0\n',
  })
})

test('an autoinstall', () => {
  const files = bareMetalFiles(installStep('autoinstall'), about)
  expect(files['kernel-command-line']).toBe('ds=nocloud;s=http://SERVER/ console=ttyS0\n')
  expect(JSON.parse((files['user-data'] ?? '').replace('#cloud-config\n', ''))).toEqual({
    autoinstall: { version: 1, 'late-commands': ['true'], shutdown: 'reboot' },
  })
})

test.each([
  [0, 0],
  [2, 0],
  [4, 4],
])('the puppet run: %d of the agent is %d', (agent, status) => {
  const script = `puppet() { return ${agent}; }\n${bareMetalFiles(installStep(), about)['puppet-run.sh'] ?? ''}`
  const env = { PATH: '/usr/bin:/bin', PUPPET_SERVER: 'puppet.example.org', PUPPET_NODE: 'web.example.org' }
  const run = (): number => {
    try {
      execFileSync('sh', ['-c', script], { env, stdio: 'ignore' })
      return 0
    } catch (error) {
      return (error as { status: number }).status
    }
  }
  expect(run()).toBe(status)
})
