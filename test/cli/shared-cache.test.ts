// Keys, and what push and pull say where they cannot, by the real command.

import { statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { testProject } from '../rig/project.ts'

const imgfile = `
import { defineImgfile, layer } from 'imgfile'
import { bootstrap } from 'imgfile/recipes'
export default defineImgfile({ layers: [layer('install:a', bootstrap({ suite: 'trixie', preseed: 'a.cfg', disk: '4G' }))] })
`

describe('img keys', () => {
  test('create, trust, revoke and list keep keys.json and a key file nobody else reads', async () => {
    const { root, img } = testProject({ 'imgfile.ts': imgfile })
    const created = await img(['keys', 'create', 'ci', '--namespace', 'main', '-o', 'ci.pem'])
    expect(created).toMatchObject({ status: 0, stderr: '' })
    const [, id] = /^ci: ([0-9a-f]{64})\n/.exec(created.stdout) ?? []
    expect(created.stdout).toBe(
      `ci: ${id}\nprivate key ${join(root, 'ci.pem')}: keep it secret, give it to a build as IMG_SIGNING_KEY\n` +
        'keys.json names it for main; it counts once that is on the main branch\n',
    )
    expect(statSync(join(root, 'ci.pem')).mode & 0o777).toBe(0o600)
    const again = await img(['keys', 'create', 'ci2', '-o', join(root, 'ci.pem')])
    expect(again).toMatchObject({ status: 2 })
    expect(again.stderr).toContain(`${join(root, 'ci.pem')} is there already`)

    const alice = 'MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE='
    const trusted = await img(['keys', 'trust', 'alice', alice, '--not-after', '2099-12-31'])
    expect(trusted).toMatchObject({ status: 0, stdout: 'keys.json: alice may write dev/alice\n' })
    const twice = await img(['keys', 'trust', 'alice', alice])
    expect(twice).toMatchObject({ status: 2 })
    expect(twice.stderr).toContain('keys.json: keys[2]: there is another key alice')
    const listed = await img(['keys', 'list', '--json'])
    expect(JSON.parse(listed.stdout)).toMatchObject({
      keys: [
        { name: 'ci', id, namespaces: ['main'], state: 'valid' },
        { name: 'alice', namespaces: ['dev/alice'], state: 'until 2099-12-31' },
      ],
    })
    expect(await img(['keys', 'revoke', 'alcie'])).toMatchObject({ status: 2 })
    expect(await img(['keys', 'revoke', 'alice'])).toMatchObject({ status: 0 })
    expect((await img(['keys', 'list'])).stdout).toMatch(/^alice +dev\/alice +revoked/m)
    const bad = await img(['keys', 'trust', 'bob', 'AAAA'])
    expect(bad).toMatchObject({ status: 2 })
    expect(bad.stderr).toContain('"AAAA" is no ed25519 public key')
  })
})

describe('without what they need, they say so', () => {
  test.each([
    [['push'], {}, 2, 'there is no remote'],
    [['pull'], {}, 2, 'there is no remote'],
    [['pull'], { IMG_REMOTES: 'file:///srv/img' }, 2, 'there is no key whose entries could be believed'],
  ])('%s %j', async (...[args, env, status, message]) => {
    const { img } = testProject({ 'imgfile.ts': imgfile, 'a.cfg': '' })
    const ended = await img(args, { env })
    expect(ended.status).toBe(status)
    expect(ended.stderr).toContain(message)
  })

  test.each([
    ['gopher://x/', 'there is no remote for gopher:'],
    ['nonsense', 'the remote "nonsense" is no URL'],
    ['https://user:geheim@host/', 'the remote https://host/ has a password in its URL'],
  ])('a remote %s is refused without showing a password', async (url, message) => {
    const { img } = testProject({ 'imgfile.ts': imgfile, 'a.cfg': '' })
    await img(['keys', 'create', 'ci', '-o', 'ci.pem'])
    const ended = await img(['pull'], { env: { IMG_REMOTES: url } })
    expect(ended.status).toBe(2)
    expect(ended.stderr).toContain(message)
    expect(ended.stderr).not.toContain('geheim')
  })
})
