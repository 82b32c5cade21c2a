import { describe, expect, it } from 'vitest'
import { makeQemuArguments, type MachineParts } from '../../../tasks/backends/qemu-arguments.ts'

const parts: MachineParts = {
  disk: '/some/a, b/overlay.qcow2',
  accelerator: 'tcg',
  firmware: { kind: 'bios' },
  memory: 1024,
  cpus: 2,
  network: { outside: false, forwards: [] },
  credentials: {},
  restarts: false,
  console: 'socket',
}

const command = (over: Partial<MachineParts> = {}): string =>
  makeQemuArguments({ ...parts, ...over }).join(' ')

describe('makeQemuArguments', () => {
  it('makes the whole machine', () => {
    expect(makeQemuArguments(parts).join(' ').split(' -')).toMatchInlineSnapshot(`
      [
        "qemu-system-x86_64",
        "nodefaults",
        "no-user-config",
        "display none",
        "rtc base=utc",
        "no-reboot",
        "sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
        "machine q35,graphics=off",
        "accel tcg,thread=multi",
        "cpu max",
        "smp 2",
        "m 1024",
        "netdev user,id=network,restrict=on",
        "device virtio-net-pci,netdev=network,romfile=",
        "drive if=none,id=disk,file=/some/a,, b/overlay.qcow2,format=qcow2,cache=unsafe,discard=unmap",
        "device virtio-blk-pci,drive=disk,bootindex=0",
        "device virtio-rng-pci",
        "device virtio-serial-pci,id=ports",
        "chardev socket,id=monitor,fd=3",
        "mon chardev=monitor,mode=control",
        "chardev socket,id=report,fd=4",
        "device virtserialport,bus=ports.0,chardev=report,name=img.report",
        "chardev socket,id=console,fd=5",
        "serial chardev:console",
      ]
    `)
  })

  it('writes a disk of its own, and has a port for raw text', () => {
    const line = command({ format: 'raw', log: 'img.log' })
    expect(line).toContain(',format=raw,cache=unsafe,')
    expect(line).toContain(
      ' -chardev socket,id=log,fd=6 -device virtserialport,bus=ports.0,chardev=log,name=img.log',
    )
  })

  it('boots a kernel without a disk, or what its network offers, with media beside', () => {
    const { disk: _, ...memory } = parts
    const kernel = { image: '/a/vmlinuz', initrd: '/a/initrd.img', arguments: 'boot=x console=ttyS0' }
    const line = makeQemuArguments({ ...memory, kernel, media: ['/seed,1.iso'] })
    expect(line.join(' ')).toContain(
      ' -drive if=none,id=medium0,file=/seed,,1.iso,format=raw,readonly=on -device virtio-blk-pci,drive=medium0 -kernel /a/vmlinuz -initrd /a/initrd.img -append ',
    )
    expect(line).toContain('boot=x console=ttyS0')
    expect(line.join(' ')).not.toContain('id=disk')
    const network = { outside: true, forwards: [], bootFile: 'http://10.0.2.2:80/boot.ipxe' }
    expect(command({ network })).toContain(
      ' -netdev user,id=network,restrict=off,bootfile=http://10.0.2.2:80/boot.ipxe -device virtio-net-pci,netdev=network,bootindex=1 ',
    )
    const mac = '52:54:00:ab:cd:ef'
    expect(command({ network: { outside: false, forwards: [], mac } })).toContain(
      ' -device virtio-net-pci,netdev=network,romfile=,mac=52:54:00:ab:cd:ef ',
    )
  })

  it('uses the processor of the host with KVM', () => {
    expect(command({ accelerator: 'kvm' })).toContain(' -accel kvm -cpu host ')
  })

  it('gives UEFI its code read-only and its variables to write', () => {
    const firmware = { kind: 'uefi', code: '/fw/code.fd', variables: '/run/vars.fd' } as const
    expect(command({ firmware })).toContain(
      ' -drive if=pflash,format=raw,readonly=on,file=/fw/code.fd -drive if=pflash,format=raw,file=/run/vars.fd ',
    )
  })

  it('forwards ports of this host only, and opens the outside only when told', () => {
    const network = { outside: true, forwards: [{ hostPort: 2222, guestPort: 22 }] }
    expect(command({ network })).toContain(
      ' -netdev user,id=network,restrict=off,hostfwd=tcp:127.0.0.1:2222-:22 ',
    )
    expect(command()).toContain(' -netdev user,id=network,restrict=on ')
  })

  it('hands over credentials byte for byte', () => {
    const value = 'a,b=%c\nü'
    const argument = makeQemuArguments({ ...parts, credentials: { 'tmpfiles.extra': value } }).at(-1) ?? ''
    const prefix = 'type=11,value=io.systemd.credential.binary:tmpfiles.extra='
    expect(argument.startsWith(prefix)).toBe(true)
    expect(Buffer.from(argument.slice(prefix.length), 'base64').toString()).toBe(value)
  })

  it('refuses more credentials than systemd 252 reads', () => {
    expect(() => command({ credentials: { a: 'x'.repeat(2900) } })).not.toThrow()
    expect(() => command({ credentials: { a: 'x'.repeat(2900), b: 'x'.repeat(100) } })).toThrowError(
      expect.objectContaining({
        code: 'OPTION_INVALID',
        message: 'what the machine is told at its start is too long',
        fields: {
          hint: 'give fewer or shorter public keys',
          wanted: '4000 bytes',
          found: '4067 bytes',
        },
      }),
    )
  })

  it('ends with the first restart unless it may go on', () => {
    expect(command()).toContain(' -no-reboot ')
    expect(command({ restarts: true })).not.toContain('-no-reboot')
  })

  it('puts console and monitor on the terminal', () => {
    expect(command({ console: 'terminal' })).toContain(
      ' -chardev stdio,id=console,mux=on,signal=off -serial chardev:console -mon chardev=console',
    )
  })
})
