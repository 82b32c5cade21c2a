// Images pushed to Debian's docker-registry, as skopeo sees them.

import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makePublish } from '../../../tasks/commands/publish.ts'
import { findProgram } from '../../../tasks/run/find-program.ts'
import { fakeCall } from '../../rig/layer-disks.ts'
import { startRegistry } from '../../rig/registry.ts'
import { testContext } from '../../rig/run-context.ts'
import { type Content, contentOf, imageLayout } from '../../rig/target-content.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

/** A layer of one file. */
function layerOf(name: string, data: Buffer): Buffer {
  const folder = tempFolder()
  mkdirSync(join(folder, 'srv'))
  writeFileSync(join(folder, 'srv', name), data)
  const argv = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '-cf', '-', 'srv']
  return execFileSync('tar', argv, { cwd: folder, maxBuffer: 256 * 1024 * 1024 })
}

test.runIf(['docker-registry', 'skopeo'].every((client) => findProgram(client) !== undefined))(
  'a second role uploads only its own layer, and skopeo takes both',
  async () => {
    const registry = await startRegistry(tempFolder())
    try {
      const base = layerOf('base', randomBytes(60 * 1024 * 1024))
      const own = { one: layerOf('one', randomBytes(100_000)), two: layerOf('two', randomBytes(200_000)) }
      const known = new Map<'one' | 'two', Content>()
      const open = contentOf((name) => known.get(name === 'docker:one' ? 'one' : 'two')!)
      const publish = async (name: 'one' | 'two'): Promise<{ readonly sent: number }> => {
        const to = `docker://127.0.0.1:${registry.port}/team/${name}`
        const context = testContext()
        known.set(name, imageLayout([base, own[name]]))
        const call = fakeCall({ args: [`docker:${name}`], options: { to, tag: ['latest'] }, json: true })
        expect(await makePublish(open).run(call, context)).toBe(0)
        const [{ published }] = call.printed as [{ readonly published: readonly [{ readonly sent: number }] }]
        return published[0]
      }
      const place = (name: string): string => `docker://127.0.0.1:${registry.port}/team/${name}:latest`
      const before = bytesBelow(registry.blobs)
      expect(await publish('one')).toMatchObject({ status: 'new', revision: 1 })
      const first = bytesBelow(registry.blobs) - before
      expect(first).toBeGreaterThan(base.length)
      expect(await publish('one')).toMatchObject({ status: 'unchanged', sent: 0 })
      expect(bytesBelow(registry.blobs) - before).toBe(first)

      expect((await publish('two')).sent - own.two.length).toBeLessThan(1024)
      expect(bytesBelow(registry.blobs) - before - first - own.two.length).toBeLessThan(8192)
      const inspected = JSON.parse(
        execFileSync('skopeo', ['inspect', '--tls-verify=false', place('two')]).toString(),
      ) as unknown
      expect(inspected).toMatchObject({
        // A registry lists them in any order.
        RepoTags: expect.toSatisfy((tags: readonly string[]) =>
          /^key-[0-9a-f]{12} latest r1$/.test(tags.toSorted().join(' ')),
        ) as unknown,
        Layers: [base, own.two].map((data) => `sha256:${sha256(data)}`),
      })
      const copy = join(tempFolder(), 'copy')
      execFileSync('skopeo', ['copy', '--quiet', '--src-tls-verify=false', place('two'), `dir:${copy}`])
      expect(readFileSync(join(copy, sha256(base))).equals(base)).toBe(true)
    } finally {
      await registry.stop()
    }
  },
)

const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex')

const bytesBelow = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((total, entry) => total + statSync(join(entry.parentPath, entry.name)).size, 0)
