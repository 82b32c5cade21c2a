// The programs of the host `img` starts, and the Debian packages they come in.

import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import { findProgram } from './find-program.ts'
import { installCommand, installPackages, type Install } from './tools-install.ts'

export interface Tool {
  readonly package: string
  /** Completes "needed to …". */
  readonly purpose: string
  /** Oldest version known to work; the program prints its own with `--version` or the given argument. */
  readonly wanted?: string
  readonly versionArgument?: string
  /** Missing, it costs only what `purpose` says. */
  readonly optional?: true
  /** A file instead of a program. */
  readonly file?: string
}

/** By program. What a layer is made with comes from its tool tree; this is what starts that. */
export const tools = {
  setpriv: { package: 'util-linux', purpose: 'end programs together with img', wanted: '2.33' },
  unshare: { package: 'util-linux', purpose: 'build in namespaces of its own', wanted: '2.36' },
  mount: { package: 'mount', purpose: 'build in namespaces of its own', wanted: '2.36' },
  mmdebstrap: { package: 'mmdebstrap', purpose: 'install Debian and Ubuntu', wanted: '1.3' },
  'apt-get': { package: 'apt', purpose: 'fetch and check packages', wanted: '2.2' },
  'keyring of Debian': {
    package: 'debian-archive-keyring',
    purpose: "check the signatures of Debian's archive",
    file: '/usr/share/keyrings/debian-archive-keyring.gpg',
  },
  'qemu-img': { package: 'qemu-utils', purpose: 'make overlays and export qcow2', wanted: '5.2' },
  'qemu-storage-daemon': {
    package: 'qemu-system-common',
    purpose: "build on a parent's disk without copying it",
    optional: true,
  },
  'qemu-system-x86_64': { package: 'qemu-system-x86', purpose: 'run and test images', wanted: '5.2' },
  'virt-install': { package: 'virtinst', purpose: 'run installers', wanted: '4.0', optional: true },
  libvirtd: { package: 'libvirt-daemon-system', purpose: 'run installers', wanted: '7.1', optional: true },
  curl: { package: 'curl', purpose: 'fetch templates of others', optional: true },
  xorriso: { package: 'xorriso', purpose: 'give Ubuntu installers their answers', optional: true },
  'UEFI firmware': {
    package: 'ovmf',
    purpose: 'run and test images with UEFI',
    file: '/usr/share/OVMF/OVMF_CODE_4M.fd',
    optional: true,
  },
  nsenter: { package: 'util-linux', purpose: 'give machines a network of their own', wanted: '2.36' },
  perl: { package: 'perl-base', purpose: 'give machines a network of their own', wanted: '5.28' },
  guestfish: {
    package: 'libguestfs-tools',
    purpose: 'change disks without root',
    wanted: '1.44',
    optional: true,
  },
  'virt-sysprep': {
    package: 'guestfs-tools',
    purpose: 'clean images whose machine has run',
    wanted: '1.44',
    optional: true,
  },
  podman: { package: 'podman', purpose: 'test container images', wanted: '4.0', optional: true },
  gpg: { package: 'gpg', purpose: 'sign what is published', wanted: '2.2' },
  gpgv: { package: 'gpgv', purpose: 'check what is published', wanted: '2.2' },
  ssh: {
    package: 'openssh-client',
    purpose: 'log in to a running image',
    versionArgument: '-V',
    optional: true,
  },
} as const satisfies Readonly<Record<string, Tool>>

export type ToolName = keyof typeof tools

export interface ToolOptions {
  /** Folders with programs, separated by colons. */
  readonly path?: string
  readonly install?: Install
  /** What the command can do without, at the price their `purpose` names. */
  readonly recommended?: readonly ToolName[]
}

/** Where a tool is; undefined when it is missing. */
export function findTool(name: ToolName, path?: string): string | undefined {
  const tool: Tool = tools[name]
  return findProgram(tool.file ?? name, path, tool.file === undefined ? 'program' : 'file')
}

/**
 * Installs what is missing when the user said `--yes`, else says exactly how to: as an error, or as a note of what is only
 * recommended. Starts nothing when all is there.
 */
export async function requireTools(
  names: readonly ToolName[],
  context: RunContext,
  options: ToolOptions = {},
): Promise<void> {
  const missing = missingTools(names, options.path)
  const recommended = missingTools(options.recommended ?? [], options.path)
  const packages = packagesOf([...missing, ...recommended])
  if (packages.length === 0) return
  if (!context.yes) {
    if (missing.length > 0) throw missingError(missing, packages, context.uid)
    context.emit({ event: 'note', text: recommendation(recommended, context.uid) })
    return
  }
  try {
    await (options.install ?? installPackages)(packages, context)
  } catch (error) {
    if (missing.length > 0 || context.signal.aborted) throw error
    context.emit({ event: 'note', text: recommendation(recommended, context.uid) })
  }
  const still = missingTools(names, options.path)
  if (still.length > 0) throw missingError(still, packagesOf(still), context.uid)
}

export const missingTools = (names: readonly ToolName[], path?: string): readonly ToolName[] =>
  names.filter((name) => findTool(name, path) === undefined)

export const packagesOf = (names: readonly ToolName[]): readonly string[] => [
  ...new Set(names.map((name) => tools[name].package)),
]

function recommendation(missing: readonly ToolName[], uid: number): string {
  const uses = missing.map((name) => `${name} (to ${tools[name].purpose})`)
  return `recommended, not installed: ${uses.join(', ')}; run \`${installCommand(packagesOf(missing), uid)}\``
}

function missingError(missing: readonly ToolName[], packages: readonly string[], uid: number): ImgError {
  const needs = missing.map((name) => `${name} (needed to ${tools[name].purpose})`)
  return new ImgError('TOOL_MISSING', `not installed: ${needs.join(', ')}`, {
    hint: `run \`${installCommand(packages, uid)}\`, or add --yes`,
    validOptions: packages,
  })
}
