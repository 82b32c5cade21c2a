// Real machines under qemu: what a script leaves, what a puppet agent does with a server of its own, and how each of
// the ways in which a first boot fails is told. An hour with emulation; IMG_TEST_BUILD keeps the small image.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { leftovers } from '../../rig/leftovers.ts'
import { canRun, openBuildProject, type BuildProject } from '../../system/build/project.ts'

const hour = 60 * 60_000

const files = {
  'ok.sh': `#!/bin/bash
set -eu
echo "$GREETING; $(cat /run/img/secrets/canary | wc -c) bytes of a secret: $(cat /run/img/secrets/canary)"
apt-get install --no-install-recommends hello
hello >/etc/hello
for address in 10.0.2.2/22 192.0.2.1/80; do
  if timeout 20 bash -c "exec 3<>/dev/tcp/$address"; then echo "reached $address"; exit 1; fi
done
`,
  'leak.sh':
    'cp /run/img/secrets/canary /root/kept; sync; rm /root/kept; cat /run/img/secrets/canary >/etc/kept',
  'code.sh': 'echo about to fail >&2; exit 3',
  'slow.sh': 'echo waiting; sleep 1000',
  'panic.sh': 'echo 1 >/proc/sys/kernel/sysrq; echo c >/proc/sysrq-trigger; sleep 1000',
  'hang.sh': 'echo frozen; for pid in $(pgrep -f "sh /run/img/script"); do kill -STOP "$pid"; done',
  'off.sh': 'systemctl poweroff; sleep 1000',
  'agent-1.sh': 'exit 1',
  'agent-4.sh': 'exit 4',
  'agent-6.sh': 'exit 6',
  'ca.pem': '',
  'firstboot/puppet-agent.sh': readFileSync(
    fileURLToPath(new URL('../../../firstboot/puppet-agent.sh', import.meta.url)),
    'utf8',
  ),
}

const canary = "secret('canary', { env: 'CANARY' })"
const value = 'IMGCANARY-5d1c0a97e2'

/** The role is there; certificate, request, catalog and identity of the machine that ran are not. */
const look = [
  'test -f /etc/web.d/sub/b',
  'test "$(stat -c %a /etc/web.rules)" = 600',
  'getent passwd web',
  'test -z "$(find /var/lib/puppet /etc/puppet /var/cache/puppet -name "*.pem" -o -name "*.json" 2>/dev/null)"',
  'test ! -e /etc/puppet/csr_attributes.yaml',
  'test ! -s /etc/machine-id',
  'test -z "$(ls -A /var/log/journal 2>/dev/null)"',
].join('\n')

const layers = `
  layer('fb:ok', firstboot('ok.sh', { suite: 'trixie', env: { GREETING: "it's up" }, secrets: [${canary}] }), { from: install }),
  layer('fb:chroot', run('test "$(stat -c %a /run/img/secrets/canary)" = 400; cat /run/img/secrets/canary', { secrets: [${canary}] }), { from: install }),
  layer('fb:leak', firstboot('leak.sh', { secrets: [${canary}] }), { from: install }),
  layer('fb:tainted', run('cp /run/img/secrets/canary /etc/kept', { secrets: [${canary}] }), { from: install }),
  ...['code', 'panic', 'hang', 'off'].map((name) => layer(\`fb:\${name}\`, firstboot(\`\${name}.sh\`), { from: install })),
  layer('fb:slow', firstboot('slow.sh', { limit: 30 }), { from: install }),
  ...[1, 4, 6].map((code) => layer(\`fb:agent-\${code}\`, puppetAgent({
    server: 'https://puppet.example.org:8140', environment: 'production', role: 'web', codeId: 'a', ca: 'ca.pem',
    script: \`agent-\${code}.sh\`,
  }), { from: install })),
  layer('fb:look', run(${JSON.stringify(look)}), { from: layer('fb:agent', [
    apt({ suite: 'trixie', install: ['puppet-agent'] }),
    puppetAgent({ server: 'ephemeral', environment: 'control', role: 'web' }),
  ], { from: install }) }),
`

describe.runIf(canRun)('a first boot', () => {
  let project: BuildProject
  beforeAll(() => {
    project = openBuildProject(layers, files)
  })
  afterAll(() => project.close())

  const img = (...args: readonly string[]): ReturnType<BuildProject['img']> =>
    project.img(args, { env: { CANARY: value } })

  test(
    'leaves what its script made, with repositories, without a network or a secret',
    { timeout: hour },
    async () => {
      const { status, stderr } = await img('build', '--yes', 'fb:ok', 'fb:chroot')
      expect(stderr).not.toContain(value)
      expect(status).toBe(0)
      const log = (await img('log', 'fb:ok')).stdout
      expect(log).toContain(`it's up; ${value.length} bytes of a secret: [secret:canary]`)
      expect(log).not.toContain('reached')
    },
  )

  test('fails a layer that keeps a secret', { timeout: hour }, async () => {
    for (const layer of ['fb:tainted', 'fb:leak']) {
      const { status, stderr } = await img('build', '--yes', layer)
      expect(stderr).toContain(`layer ${layer}: the secret canary is on disk.raw, at byte `)
      expect(status).toBe(1)
    }
  })

  test.each([
    ['fb:code', 'code.sh failed with exit code 3'],
    ['fb:slow', 'slow.sh was not done within 30 s'],
    ['fb:panic', 'while panic.sh ran, the machine panicked: sysrq triggered crash'],
    ['fb:hang', /while hang\.sh ran, the machine said nothing for \d+ s/],
    ['fb:off', 'while off.sh ran, the machine powered off'],
    [
      'fb:agent-1',
      'puppet agent ended with 1: it got no certificate or no catalog, or another run was in its way',
    ],
    ['fb:agent-4', 'puppet agent ended with 4: some resources failed'],
    ['fb:agent-6', 'puppet agent ended with 6: some resources were changed and others failed'],
  ])('%s fails with its own message', { timeout: hour }, async (layer, message) => {
    const { status, stderr } = await img('build', '--yes', layer)
    expect(stderr).toMatch(message)
    expect(status).toBe(1)
  })

  test(
    'lets an agent apply its role, and keeps nothing of its certificate',
    { timeout: 2 * hour },
    async () => {
      const { status, stderr } = await img('build', '--yes', 'fb:look')
      expect({ status, stderr }).toMatchObject({ status: 0 })
      expect((await img('log', 'fb:agent')).stdout).toContain('Applied catalog')
      // The server runs as another user than who started it.
      expect(await leftovers(project.cacheDir)).toEqual([])
    },
  )
})
