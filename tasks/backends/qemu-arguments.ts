// Pure. What a machine is made of, as the command line of qemu.

import { ImgError } from '../errors.ts'
import type { Accelerator } from './acceleration.ts'
import { reportPort } from './guest-script.ts'

export interface MachineParts {
  /** Written; a machine without one boots `kernel` or from its network. */
  readonly disk?: string
  /** `qcow2` when absent: an overlay. */
  readonly format?: 'qcow2' | 'raw'
  /** Raw, and only read: what is handed to the system beside its disk. */
  readonly media?: readonly string[]
  /** Booted without a boot loader; an EFI program has all else in it. */
  readonly kernel?: { readonly image: string; readonly initrd?: string; readonly arguments?: string }
  readonly accelerator: Accelerator
  readonly firmware: Firmware
  /** MiB. */
  readonly memory: number
  readonly cpus: number
  readonly network: Network
  /** System credentials for systemd in the guest, by name. */
  readonly credentials: Readonly<Record<string, string>>
  /** Whether a restart goes on in the same machine or ends it. */
  readonly restarts: boolean
  /** `socket`: descriptor 5; `terminal`: our standard streams, Ctrl-A x ends the machine. */
  readonly console: 'socket' | 'terminal'
  /** A port for raw text, descriptor 6; only with `console: 'socket'`. */
  readonly log?: string
}

export type Firmware =
  | { readonly kind: 'bios' }
  /** `variables` is written. */
  | { readonly kind: 'uefi'; readonly code: string; readonly variables: string }

export interface Network {
  /** Whether the guest reaches anything but the forwarded ports. */
  readonly outside: boolean
  readonly forwards: readonly { readonly hostPort: number; readonly guestPort: number }[]
  /** URL of what a network card boots that asks DHCP. */
  readonly bootFile?: string
  /** Of the card: `52:54:00:…`; qemu gives every machine the same unless told. */
  readonly mac?: string
}

/** Descriptors the machine is started with. */
export const machineSockets = { monitor: 0, report: 1, console: 2, log: 3 } as const

/** Where ports are plugged in while the machine runs, and how many there may be beside the report's. */
export const portBus = 'ports.0'
export const freePorts = 27

export function makeQemuArguments(parts: MachineParts): readonly string[] {
  return [
    'qemu-system-x86_64',
    '-nodefaults -no-user-config -display none -rtc base=utc'.split(' '),
    parts.restarts ? [] : ['-no-reboot'],
    // A hostile image must not get further than into this process.
    ['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'],
    // Without graphics SeaBIOS writes to the serial line too.
    ['-machine', 'q35,graphics=off'],
    acceleratorArguments[parts.accelerator],
    ['-smp', String(parts.cpus), '-m', String(parts.memory)],
    firmwareArguments(parts.firmware),
    networkArguments(parts.network),
    diskArguments(parts),
    kernelArguments(parts.kernel),
    ['-device', 'virtio-rng-pci'],
    ['-device', 'virtio-serial-pci,id=ports'],
    ['-chardev', `socket,id=monitor,fd=${firstSocket + machineSockets.monitor}`],
    ['-mon', 'chardev=monitor,mode=control'],
    ['-chardev', `socket,id=report,fd=${firstSocket + machineSockets.report}`],
    ['-device', `virtserialport,bus=${portBus},chardev=report,name=${reportPort}`],
    consoleArguments(parts.console),
    logArguments(parts.log),
    credentialArguments(parts.credentials),
  ].flat()
}

const firstSocket = 3

const acceleratorArguments: Readonly<Record<Accelerator, readonly string[]>> = {
  kvm: ['-accel', 'kvm', '-cpu', 'host'],
  // qemu's default processor lacks what recent kernels expect (cmpxchg16b panics on qemu 7.2): all it can emulate.
  tcg: ['-accel', 'tcg,thread=multi', '-cpu', 'max'],
}

function firmwareArguments(firmware: Firmware): readonly string[] {
  if (firmware.kind === 'bios') return []
  return [
    ['-drive', `if=pflash,format=raw,readonly=on,file=${escaped(firmware.code)}`],
    ['-drive', `if=pflash,format=raw,file=${escaped(firmware.variables)}`],
  ].flat()
}

function diskArguments({ disk, format = 'qcow2', media = [] }: MachineParts): readonly string[] {
  const own = [
    ['-drive', `if=none,id=disk,file=${escaped(disk ?? '')},format=${format},cache=unsafe,discard=unmap`],
    ['-device', 'virtio-blk-pci,drive=disk,bootindex=0'],
  ]
  const others = media.flatMap((file, index) => [
    ['-drive', `if=none,id=medium${index},file=${escaped(file)},format=raw,readonly=on`],
    ['-device', `virtio-blk-pci,drive=medium${index}`],
  ])
  return [...(disk === undefined ? [] : own), ...others].flat()
}

function kernelArguments(kernel: MachineParts['kernel']): readonly string[] {
  if (kernel === undefined) return []
  const { image, initrd, arguments: line } = kernel
  return [
    ['-kernel', image],
    initrd === undefined ? [] : ['-initrd', initrd],
    line === undefined ? [] : ['-append', line],
  ].flat()
}

function networkArguments({ outside, forwards, bootFile, mac }: Network): readonly string[] {
  const rules = forwards.map(({ hostPort, guestPort }) => `,hostfwd=tcp:127.0.0.1:${hostPort}-:${guestPort}`)
  const boot = bootFile === undefined ? '' : `,bootfile=${escaped(bootFile)}`
  const rom = bootFile === undefined ? 'romfile=' : 'bootindex=1'
  const own = mac === undefined ? '' : `,mac=${mac}`
  return [
    ['-netdev', `user,id=network,restrict=${outside ? 'off' : 'on'}${boot}${rules.join('')}`],
    ['-device', `virtio-net-pci,netdev=network,${rom}${own}`],
  ].flat()
}

function consoleArguments(console: MachineParts['console']): readonly string[] {
  if (console === 'socket') {
    return [
      '-chardev',
      `socket,id=console,fd=${firstSocket + machineSockets.console}`,
      '-serial',
      'chardev:console',
    ]
  }
  return [
    ['-chardev', 'stdio,id=console,mux=on,signal=off'],
    ['-serial', 'chardev:console', '-mon', 'chardev=console'],
  ].flat()
}

function logArguments(log: string | undefined): readonly string[] {
  if (log === undefined) return []
  return [
    ['-chardev', `socket,id=log,fd=${firstSocket + machineSockets.log}`],
    ['-device', `virtserialport,bus=${portBus},chardev=log,name=${log}`],
  ].flat()
}

/** OEM strings of the SMBIOS table reach systemd with every firmware and need no driver. */
function credentialArguments(credentials: MachineParts['credentials']): readonly string[] {
  const strings = Object.entries(credentials).map(
    ([name, value]) => `io.systemd.credential.binary:${name}=${Buffer.from(value).toString('base64')}`,
  )
  // systemd 252 reads one page and ignores what is cut off.
  if (strings.join(' ').length > mostOemBytes) {
    throw new ImgError('OPTION_INVALID', 'what the machine is told at its start is too long', {
      hint: 'give fewer or shorter public keys',
      wanted: `${mostOemBytes} bytes`,
      found: `${strings.join(' ').length} bytes`,
    })
  }
  return strings.flatMap((string) => ['-smbios', `type=11,value=${string}`])
}

const mostOemBytes = 4000

/** A comma ends an option of qemu unless doubled. */
const escaped = (path: string): string => path.replaceAll(',', ',,')
