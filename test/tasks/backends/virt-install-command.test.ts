import { expect, test } from 'vitest'
import { makeInstallerFiles } from '../../../tasks/backends/installer-files.ts'
import { makeVirtInstall, type VirtInstallParts } from '../../../tasks/backends/virt-install-command.ts'
import { installStep } from '../../rig/install-step.ts'

function command(over: Partial<VirtInstallParts> = {}): readonly string[] {
  const step = over.step ?? installStep()
  return makeVirtInstall({
    step,
    files: makeInstallerFiles(step, { nonce: 'n1' }),
    name: 'img-1',
    connect: 'qemu:///session',
    accelerator: 'kvm',
    medium: 'kernel',
    directory: '/w',
    ...over,
  })
}

test('a preseed with KVM', () => {
  const parts = [
    ['virt-install'],
    ['--connect', 'qemu:///session', '--name', 'img-1'],
    ['--transient', '--noreboot', '--destroy-on-exit', '--noautoconsole', '--wait', '-1'],
    ['--machine', 'q35', '--virt-type', 'kvm', '--cpu', 'host-passthrough'],
    ['--memory', '1024', '--vcpus', '2', '--osinfo', 'detect=on,require=off'],
    ['--disk', 'path=/w/disk.raw,format=raw,bus=virtio,cache=unsafe,discard=unmap'],
    ['--network', 'user,model=virtio', '--rng', '/dev/urandom', '--graphics', 'none'],
    ['--controller', 'type=usb,model=none', '--memballoon', 'none', '--tpm', 'none', '--sound', 'none'],
    ['--serial', 'file,path=/w/console.log'],
    ['--channel', 'file,path=/w/report.log,target.type=virtio,target.name=img.report'],
    ['--install', 'kernel=/w/medium/kernel,initrd=/w/medium/initrd'],
    ['--initrd-inject', '/w/preseed.cfg', '--initrd-inject', '/w/img-finish'],
    ['--extra-args', 'console=ttyS0'],
  ]
  expect(command()).toEqual(parts.flat())
})

test('a folder whose name virt-install would take apart', () => {
  const words = command({ directory: '/a,b "c"', medium: 'iso' })
  expect(words[words.indexOf('--serial') + 1]).toBe(String.raw`file,path="/a,b \"c\"/console.log"`)
  expect(words[words.indexOf('--location') + 1]).toBe(String.raw`"/a,b \"c\"/medium/iso"`)
  expect(words[words.indexOf('--initrd-inject') + 1]).toBe('/a,b "c"/preseed.cfg')
})

test('emulated', () => {
  const words = command({ accelerator: 'tcg' })
  expect(words.slice(11, 17)).toEqual([
    '--machine',
    'q35',
    '--virt-type',
    'qemu',
    '--cpu',
    'qemu64,disable=cx16',
  ])
  expect(words.slice(-2)).toEqual(['--extra-args', 'mitigations=off console=ttyS0'])
  expect(command({ accelerator: 'tcg', step: installStep('kickstart') })).toContain('maximum')
})

test('with UEFI and a display', () => {
  const machine = { memory: 1024, cpus: 2, display: true }
  const words = command({ step: installStep('preseed', { firmware: 'uefi', machine }) })
  expect(words.join(' ')).toContain(' --boot uefi ')
  expect(words.join(' ')).toContain(' --graphics none --video vga ')
})

function locationOf(kind: 'kickstart' | 'autoinstall'): string | undefined {
  const words = command({ step: installStep(kind), medium: 'iso' })
  return words[words.indexOf('--location') + 1]
}

test('an ISO', () => {
  expect(locationOf('kickstart')).toBe('/w/medium/iso')
  expect(locationOf('autoinstall')).toBe('/w/medium/iso,kernel=casper/vmlinuz,initrd=casper/initrd')
})

test('the disk with the answers of an autoinstall', () => {
  const words = command({ step: installStep('autoinstall'), medium: 'iso' })
  expect(words).toContain('path=/w/seed.iso,device=cdrom,readonly=on')
  expect(words).not.toContain('--initrd-inject')
})
