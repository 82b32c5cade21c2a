// What podman, skopeo, umoci and a registry make of our images.

import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findProgram } from '../../../tasks/run/find-program.ts'
import { startRegistry } from '../../rig/registry.ts'
import { exportTarget } from '../../rig/target-files.ts'
import { tempFolder } from '../../rig/temp-folder.ts'
import { canRun, openBuildProject, type BuildProject } from '../../system/build/project.ts'

const hour = 60 * 60_000
const clients = ['podman', 'runc', 'skopeo', 'umoci', 'docker-registry']
const haveClients = canRun && clients.every((client) => findProgram(client) !== undefined)

const targets = `...((base) => ['one', 'two'].map((name) =>
  targets.docker(layer('role:' + name, run("rm /srv/gone; perl -e 'srand 1; print pack q(C*), map { int rand 256 } 1..100000' >/srv/" + name), { from: base }))))(
  layer('base:small', run('touch /srv/gone /srv/kept'), { from: install }))`

describe.runIf(haveClients)('an image', () => {
  let project: BuildProject
  const folders = new Map<string, string>()
  const layout = (name: string): string => folders.get(name) ?? ''

  beforeAll(async () => {
    project = openBuildProject('', {}, targets)
    for (const name of ['one', 'two']) folders.set(name, await exportTarget(project, `docker:${name}`))
  }, hour)
  afterAll(() => project.close())

  test('is loaded and run by podman', { timeout: hour }, () => {
    const storage = tempFolder()
    const podman = (...args: readonly string[]): string =>
      execFileSync('podman', ['--root', join(storage, 'root'), '--runroot', join(storage, 'run'), ...args], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      })
    // Where this machine may not raise a limit a container cannot either; crun would insist.
    const limits = ['--ulimit=nofile=512:512', '--ulimit=nproc=512:512']
    const run = (...command: readonly string[]): string => {
      const own = ['--runtime=runc', 'run', '--rm', '--network=none', ...limits, 'localhost/one:latest']
      return podman(...own, ...command)
    }
    try {
      podman('load', '--quiet', '--input', join(layout('one'), 'image.tar'))
      expect(run('cat', '/etc/os-release')).toContain('VERSION_CODENAME=trixie')
      const look =
        'dpkg --audit; ls /srv; cat /etc/machine-id; ls -A /boot; ls /etc/ssh/ssh_host_* 2>/dev/null; :'
      expect(run('bash', '-c', look)).toBe('kept\none\n')
    } finally {
      podman('system', 'reset', '--force')
    }
  })

  test('is tried by img test, once', { timeout: hour }, async () => {
    const tested = await project.img(['test', 'docker:one'])
    expect(tested).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^docker:one passed: 5 checks \(/),
    })
    expect((await project.img(['test', 'docker:one'])).stdout).toBe(
      'docker:one passed: 5 checks (passed before)\n',
    )
  })

  test('is pushed to a registry, and of a second role only its own layer', { timeout: hour }, async () => {
    const registry = await startRegistry(tempFolder())
    try {
      const push = async (name: string): Promise<{ readonly sent: number; readonly kept: number }> => {
        const before = bytesBelow(registry.blobs)
        const to = `docker://127.0.0.1:${registry.port}/${name}`
        const argv = ['publish', `docker:${name}`, '--to', to, '--tag', 'latest', '--json']
        const { status, stdout, stderr } = await project.img(argv)
        if (status !== 0) throw new Error(stderr)
        const { published } = JSON.parse(stdout) as {
          readonly published: readonly [{ readonly sent: number }]
        }
        return { sent: published[0].sent, kept: bytesBelow(registry.blobs) - before }
      }
      const first = await push('one')
      const second = await push('two')
      const own = layersOf(layout('two')).at(-1)!.size
      expect(own).toBeGreaterThan(100_000)
      // Its layer, its configuration and, where it is kept, its manifest.
      expect(second.sent - own).toBeLessThan(4096)
      expect(second.kept - own).toBeLessThan(8192)
      expect(second.sent).toBeLessThan(first.sent / 50)
      const inspected = JSON.parse(
        execFileSync('skopeo', [
          'inspect',
          '--tls-verify=false',
          `docker://127.0.0.1:${registry.port}/two:latest`,
        ]).toString(),
      ) as { readonly Layers: readonly string[] }
      expect(inspected.Layers).toEqual(layersOf(layout('two')).map(({ digest }) => digest))
    } finally {
      await registry.stop()
    }
  })

  test('is a layout umoci reads and unpacks', { timeout: hour }, () => {
    const image = `${layout('two')}:two:latest`
    const { history } = JSON.parse(
      execFileSync('umoci', ['stat', '--json', '--image', image]).toString(),
    ) as {
      readonly history: readonly { readonly layer: { readonly digest: string } | null }[]
    }
    expect(history.flatMap(({ layer }) => layer?.digest ?? [])).toEqual(
      layersOf(layout('two')).map(({ digest }) => digest),
    )
    const bundle = join(tempFolder(), 'bundle')
    execFileSync('umoci', ['unpack', '--image', image, bundle], { stdio: 'pipe' })
    expect(readdirSync(join(bundle, 'rootfs/srv'))).toEqual(['kept', 'two'])
  })
})

interface Blob {
  readonly digest: string
  readonly size: number
}

function layersOf(layout: string): readonly Blob[] {
  const read = (file: string): unknown => JSON.parse(readFileSync(join(layout, file), 'utf8'))
  const { manifests } = read('index.json') as { readonly manifests: readonly Blob[] }
  const { layers } = read(`blobs/${manifests[0]!.digest.replace(':', '/')}`) as {
    readonly layers: readonly Blob[]
  }
  return layers
}

const bytesBelow = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((total, entry) => total + statSync(join(entry.parentPath, entry.name)).size, 0)
