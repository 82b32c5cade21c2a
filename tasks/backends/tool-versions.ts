// Versions of the programs that wrote into an artifact, as dpkg of the tree they came from knows them.

import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Build } from './namespace-build.ts'

export async function readToolVersions(build: Build): Promise<Readonly<Record<string, string>>> {
  const root = build.work.tools ?? build.folders.tree
  const status = await readFile(path.join(root, 'var/lib/dpkg/status'), 'utf8')
  const versions = status.split('\n\n').flatMap((entry) => {
    const name = /^Package: (.*)$/m.exec(entry)?.[1]
    const version = /^Version: (.*)$/m.exec(entry)?.[1]
    return name !== undefined && version !== undefined && writers.has(name) ? [[name, version] as const] : []
  })
  return Object.fromEntries(versions)
}

const writers: ReadonlySet<string> = new Set([
  'apt',
  'dosfstools',
  'dpkg',
  'e2fsprogs',
  'fdisk',
  'grub-common',
  'gzip',
  'mmdebstrap',
  'mtools',
  'perl',
  'puppet-agent',
  'qemu-utils',
  'squashfs-tools',
  'tar',
  'util-linux',
  'xfsprogs',
])
