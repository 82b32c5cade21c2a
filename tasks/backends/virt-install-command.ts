// Pure. A step and its surroundings as a command line of virt-install. Paths are relative to the folder it runs in, the
// same in a build and in what `--dry-run` prints.

import type { InstallStep } from '../plan/step.ts'
import type { Accelerator } from './acceleration.ts'
import { installerPort, type InstallerFiles } from './installer-files.ts'

export interface VirtInstallParts {
  readonly step: InstallStep
  readonly files: InstallerFiles
  /** Of the domain. */
  readonly name: string
  readonly connect: string
  readonly accelerator: Accelerator
  /** `iso`: one file that is the medium; else its kernel and initrd. */
  readonly medium: 'iso' | 'kernel'
  /** Absolute path of the folder with everything else. */
  readonly directory: string
}

/** Names in the folder. */
export const installFiles = {
  disk: 'disk.raw',
  console: 'console.log',
  report: 'report.log',
  seed: 'seed.iso',
  kernel: 'medium/kernel',
  initrd: 'medium/initrd',
  iso: 'medium/iso',
} as const

export function makeVirtInstall(parts: VirtInstallParts): readonly string[] {
  const { step, files, accelerator, directory } = parts
  const machine = step.machine ?? { memory: 1024, cpus: 2, display: false }
  const at = (name: string): string => `${directory}/${name}`
  return [
    'virt-install',
    ['--connect', parts.connect, '--name', parts.name],
    // Nothing of it is kept by libvirt, and a restart is an end.
    ['--transient', '--noreboot', '--destroy-on-exit', '--noautoconsole', '--wait', '-1'],
    ['--machine', 'q35', ...processorOptions(accelerator, step)],
    ['--memory', String(machine.memory), '--vcpus', String(machine.cpus)],
    ['--osinfo', 'detect=on,require=off'],
    step.firmware === 'uefi' ? ['--boot', 'uefi'] : [],
    ['--disk', `path=${word(at(installFiles.disk))},format=raw,bus=virtio,cache=unsafe,discard=unmap`],
    files.seed === undefined
      ? []
      : ['--disk', `path=${word(at(installFiles.seed))},device=cdrom,readonly=on`],
    ['--network', 'user,model=virtio', '--rng', '/dev/urandom'],
    ['--graphics', 'none', ...(machine.display ? ['--video', 'vga'] : [])],
    ['--controller', 'type=usb,model=none', '--memballoon', 'none', '--tpm', 'none', '--sound', 'none'],
    ['--serial', `file,path=${word(at(installFiles.console))}`],
    [
      '--channel',
      `file,path=${word(at(installFiles.report))},target.type=virtio,target.name=${installerPort}`,
    ],
    mediumOptions(parts),
    Object.keys(files.inject).flatMap((name) => ['--initrd-inject', at(name)]),
    ['--extra-args', [...accelerationArguments[accelerator], ...files.arguments].join(' ')],
  ].flat()
}

/**
 * What is emulated costs time, so it is the smallest processor the distribution runs on. qemu's default has an
 * instruction recent kernels panic at (cmpxchg16b in 7.2); Red Hat's and its like need x86-64-v2 and later.
 */
function processorOptions(accelerator: Accelerator, { answers }: InstallStep): readonly string[] {
  if (accelerator === 'kvm') return ['--virt-type', 'kvm', '--cpu', 'host-passthrough']
  return ['--virt-type', 'qemu', '--cpu', answers.kind === 'preseed' ? 'qemu64,disable=cx16' : 'maximum']
}

/** An emulated processor leaks nothing, and would only take the longer way everywhere. */
const accelerationArguments: Readonly<Record<Accelerator, readonly string[]>> = {
  kvm: [],
  tcg: ['mitigations=off'],
}

function mediumOptions({ medium, step, directory }: VirtInstallParts): readonly string[] {
  const at = (name: string): string => `${directory}/${name}`
  if (medium === 'kernel') {
    return ['--install', `kernel=${word(at(installFiles.kernel))},initrd=${word(at(installFiles.initrd))}`]
  }
  // Ubuntu's live medium has no tree that virt-install would know.
  const inside = step.answers.kind === 'autoinstall' ? ',kernel=casper/vmlinuz,initrd=casper/initrd' : ''
  return ['--location', `${word(at(installFiles.iso))}${inside}`]
}

/** virt-install takes an option's parts apart as a POSIX shell would, but at commas. */
const word = (path: string): string =>
  /[,"'\\]/.test(path) ? `"${path.replaceAll(/["\\]/g, String.raw`\$&`)}"` : path
