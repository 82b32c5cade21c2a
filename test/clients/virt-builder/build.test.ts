// virt-builder makes disks of what we publish, called by a user and by the step of virtBuilder.

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compressXz } from '../../../cache/compress-xz.ts'
import { resolveSigningKey, type SigningKey } from '../../../cache/repository/gpg-keys.ts'
import { publishTemplates } from '../../../cache/repository/publish.ts'
import { runVirtBuilderStep } from '../../../tasks/backends/libguestfs-virt-builder.ts'
import type { Build } from '../../../tasks/backends/namespace-build.ts'
import type { StepOf } from '../../../tasks/plan/step.ts'
import { findProgram } from '../../../tasks/run/find-program.ts'
import { resolveTemplate } from '../../../tasks/run/template-input.ts'
import { makeMemory } from '../../rig/memory.ts'
import { testContext } from '../../rig/run-context.ts'
import { makeSigningKey } from '../../rig/signing-key.ts'

const MiB = 2 ** 20
const start = MiB

/** What libguestfs takes for a Debian, on the first partition of a disk. */
function makeDisk(folder: string): string {
  const root = join(folder, 'root')
  const files = {
    'etc/os-release': 'ID=debian\nVERSION_ID="13"\nPRETTY_NAME="Debian GNU/Linux 13 (trixie)"\n',
    'etc/debian_version': '13.0\n',
    'etc/fstab': '/dev/sda1 / ext4 defaults 0 1\n',
    'etc/hostname': 'debian\n',
    'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n',
    'etc/shadow': 'root:*:20000:0:99999:7:::\n',
    'etc/machine-id': '',
    'etc/systemd/system/.keep': '',
    'usr/lib/systemd/system/.keep': '',
    'var/lib/dpkg/status':
      'Package: base-files\nStatus: install ok installed\nVersion: 13\nArchitecture: amd64\n',
    'var/lib/systemd/.keep': '',
    'root/.keep': '',
    'bin/.keep': '',
    'tmp/.keep': '',
    'boot/.keep': '',
  }
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(root, name, '..'), { recursive: true })
    writeFileSync(join(root, name), content)
  }
  // Tells the architecture.
  execFileSync('cp', [findProgram('true')!, join(root, 'bin/true')])
  const disk = join(folder, 'disk.raw')
  execFileSync('truncate', ['--size=96M', disk])
  execFileSync('sfdisk', ['--quiet', disk], { input: 'label: dos\nstart=2048, type=83\n' })
  execFileSync('mkfs.ext4', ['-q', '-d', root, '-E', `offset=${start}`, disk, `${94 * 1024}k`])
  return disk
}

const fileIn = (disk: string, path: string): string =>
  execFileSync('debugfs', ['-R', `cat ${path}`, `${disk}?offset=${start}`], {
    encoding: 'utf8',
    stdio: 'pipe',
  })

const listIn = (disk: string, path: string): string =>
  execFileSync('debugfs', ['-R', `ls -p ${path}`, `${disk}?offset=${start}`], {
    encoding: 'utf8',
    stdio: 'pipe',
  })

describe.runIf(findProgram('virt-builder') !== undefined)('virt-builder', () => {
  test('builds a larger disk of a published template, with a first-boot script', async () => {
    const { context, dir, key, home } = await publish()
    const [script, disk] = [join(context.root, 'ready.sh'), join(context.root, 'built.raw')]
    writeFileSync(script, '#!/bin/sh\necho ready\n', { mode: 0o755 })
    const source = ['--source', `file://${join(dir, 'index.asc')}`, '--fingerprint', key.fingerprint]
    const wishes = ['--firstboot', script, '--size', '200M', '--root-password', 'disabled']
    const ended = spawnSync('virt-builder', ['small', ...source, ...wishes, '--output', disk], {
      env: { ...process.env, ...home },
      encoding: 'utf8',
    })
    expect(ended).toMatchObject({ status: 0 })
    expect(statSync(disk).size).toBe(200 * MiB)
    expect(listIn(disk, '/usr/lib/virt-sysprep/scripts')).toContain('ready-sh')
  })

  const steps: readonly [string, Pick<StepOf<'virt-builder'>, 'input' | 'template'>][] = [
    ['of a repository', { input: 'template', template: 'small' }],
    ['of the parent', { template: 'parent' }],
  ]
  test.each(steps)('makes the disk of the step %s', async (_, from) => {
    const { context, key, facts, xz } = await publish()
    const work = join(context.root, `work-${from.template}`)
    const staged = join(work, 'staged')
    mkdirSync(work)
    const found = await resolveTemplate(
      {
        kind: 'template',
        source: 'images/index.asc',
        template: 'small',
        arch: 'x86_64',
        trust: { fingerprint: key.fingerprint },
      },
      { context, store: makeMemory() },
    )
    await found.stage!(staged)
    const build = {
      context,
      folders: { work },
      work: {
        layer: 'base:small',
        directory: work,
        log: join(work, 'log'),
        inputs: { template: staged },
        parentFiles: { 'template.json': facts, 'disk.xz': xz },
      },
    } as unknown as Build
    const disk = await runVirtBuilderStep(build, {
      do: 'virt-builder',
      ...from,
      arch: 'x86_64',
      size: 128 * MiB,
      firstboot: [{ label: 'firstboot/ready.sh', content: '#!/bin/sh\necho ready\n' }],
    })
    expect(statSync(disk).size).toBe(128 * MiB)
    expect(fileIn(disk, '/etc/hostname')).toBe('debian\n')
    expect(fileIn(disk, '/etc/shadow')).toMatch(/^root:[*!]/)
    expect(listIn(disk, '/usr/lib/virt-sysprep/scripts')).toContain('/5000-0001-firstboot-0/')
  })
})

interface Published {
  readonly context: ReturnType<typeof testContext>
  readonly dir: string
  readonly key: SigningKey
  readonly facts: string
  readonly xz: string
  /** Where a client keeps its things. */
  readonly home: Readonly<Record<string, string>>
}

async function publish(): Promise<Published> {
  const own = makeSigningKey()
  const context = testContext({ env: { GNUPGHOME: own.home } })
  const key = await resolveSigningKey(own.fingerprint, context)
  const xz = join(context.root, 'disk.xz')
  const { size, compressedSize, sha512 } = await compressXz(makeDisk(context.root), xz, {
    memory: makeMemory(),
  })
  const shared = {
    arch: 'x86_64',
    sha512,
    size,
    compressedSize,
    expand: '/dev/sda1',
    notes: {},
    aliases: [],
    hidden: false,
  }
  const dir = join(context.root, 'images')
  const write = (to: string): Promise<void> => Promise.resolve(writeFileSync(to, readFileSync(xz)))
  await publishTemplates([{ entry: { ...shared, id: 'small', format: 'raw' }, write }], { dir, key }, context)
  const facts = join(context.root, 'template.json')
  writeFileSync(
    facts,
    JSON.stringify({ format: 1, title: 'Small', file: 'disk.xz', diskFormat: 'raw', ...shared }),
  )
  const home = {
    HOME: context.root,
    GNUPGHOME: own.home,
    XDG_CONFIG_HOME: context.root,
    XDG_CACHE_HOME: context.root,
    VIRT_BUILDER_DIRS: context.root,
    LIBGUESTFS_BACKEND: 'direct',
    LIBGUESTFS_BACKEND_SETTINGS: 'force_tcg',
  }
  return { context, dir, key, facts, xz, home }
}
