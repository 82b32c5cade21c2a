// A machine without a disk: kernel, initramfs and the root filesystem as images that are fetched into memory.

import { checkOptions, isFlag, isText, listOf, matching, oneOf } from '../../tasks/plan/options.ts'
import type { Layer } from '../../tasks/plan/recipe.ts'
import type { ExportStep } from '../../tasks/plan/export-step.ts'
import { requireTraits, type Debian } from '../traits.ts'
import { carriedImages, ramdiskDisk } from './ramdisk-boot.ts'
import { target, targetRules, type TargetOptions } from './target.ts'

export interface RamdiskOptions extends TargetOptions {
  /**
   * `http`: the initramfs fetches the images, by default. `initramfs`: it carries them. `uki`: one EFI program carries
   * all, for UEFI HTTP boot or a boot partition.
   */
  readonly form?: 'http' | 'initramfs' | 'uki'
  /** Folder of the files as machines reach it: `http://boot.example.org/ceph-node`; else the server DHCP names. */
  readonly url?: string
  /** One image for each img layer, so that roles share those of their base; by default. Else one of everything. */
  readonly stacked?: boolean
  /** More of the kernel command line; a serial and a graphical console by default. */
  readonly arguments?: readonly string[]
  /** What may be written, in memory: `2G`, `50%`. */
  readonly size?: string
}

/**
 * `vmlinuz`, `initrd.img`, the images, and what starts them: `boot.ipxe`, `grub.cfg`, `pxelinux.cfg`, `cmdline`. Of the
 * form `uki` one file, `ramdisk.efi`, and `boot.ipxe`.
 *
 * @example ramdisk(role, { url: 'http://boot.example.org/ceph-node' })
 */
export function ramdisk(from: Layer<Debian>, options: RamdiskOptions = {}): Layer {
  checkOptions('ramdisk', options, { required: {}, optional: rules })
  requireTraits('ramdisk', from, { debian: 'has no package archives to install initramfs-tools from' })
  const { stacked = true, form = 'http' } = options
  const title = from.name.slice(from.name.indexOf(':') + 1)
  return target('ramdisk', {
    from: ramdiskDisk(from),
    of: from,
    options,
    chain: stacked,
    tried: 'memory',
    steps: [
      { do: 'extract', from: '/boot/vmlinuz-*', to: 'vmlinuz' },
      { do: 'extract', from: '/boot/initrd.img-*', to: 'initrd.img' },
      { do: 'squashfs', to: 'root.squashfs', layers: stacked ? 'chain' : 'one', exclude: diskOnly },
      { do: 'emit', to: 'cmdline', text: `${kernelArguments(options)}\n` },
      // Before the images go into what carries them: their digests are on the command line.
      ...(form === 'uki'
        ? [starter(kernelArguments(options))]
        : starters(title, kernelArguments(options), options.url)),
      ...(form === 'http' ? [] : [carry]),
      ...(form === 'uki' ? unified : []),
      { do: 'checksums', to: 'SHA256SUMS', algorithm: 'sha256' },
    ],
  })
}

const carry: ExportStep = {
  do: 'initramfs',
  to: 'initrd.img',
  images: 'root.squashfs',
  folder: carriedImages,
}

const unified: readonly ExportStep[] = [
  { do: 'extract', from: '/usr/lib/os-release', to: 'os-release' },
  {
    do: 'uki',
    to: 'ramdisk.efi',
    kernel: 'vmlinuz',
    initrd: 'initrd.img',
    cmdline: 'cmdline',
    osRelease: 'os-release',
  },
]

/** iPXE passes at least the program's name, and what is passed replaces the command line in the program. */
const starter = (line: string): ExportStep => ({
  do: 'emit',
  to: 'boot.ipxe',
  text: `#!ipxe\nchain ramdisk.efi ${line}\n`,
})

const rules = {
  ...targetRules,
  url: matching(
    /^http:\/\/[^\s{},;'"\\/]+(?:\/[^\s{},;'"\\/]+)*$/,
    'not an http:// address without slash at its end',
  ),
  form: oneOf(['http', 'initramfs', 'uki']),
  stacked: isFlag,
  arguments: listOf(isText),
  size: matching(/^[1-9][0-9]*[%kmgKMG]?$/, 'not a size, such as 2G or 50%'),
}

/** `img.root` has the digests: who trusts the command line need not trust the server. */
function kernelArguments({ form, url, size, arguments: more = consoles }: RamdiskOptions): string {
  return [
    'boot=img-ramdisk',
    ...(form === undefined || form === 'http' ? ['ip=dhcp'] : []),
    'img.root={{images root.squashfs}}',
    ...(url === undefined ? [] : [`img.url=${url}`]),
    ...(size === undefined ? [] : [`img.size=${size}`]),
    ...more,
  ].join(' ')
}

const consoles: readonly string[] = ['console=tty0', 'console=ttyS0,115200']

function starters(title: string, line: string, url: string | undefined): readonly ExportStep[] {
  const [, server = '$net_default_server', folder = ''] = /^http:\/\/([^/]+)(.*)$/.exec(url ?? '') ?? []
  return [
    {
      do: 'emit',
      to: 'boot.ipxe',
      // iPXE finds files beside the script; `initrd=` is how UEFI kernels find theirs.
      text: `#!ipxe
kernel vmlinuz initrd=initrd.img BOOTIF=01-\${netX/mac:hexhyp} ${line}
initrd initrd.img
boot
`,
    },
    {
      do: 'emit',
      to: 'grub.cfg',
      text: `menuentry '${title}' {
  linux (http,${server})${folder}/vmlinuz ${line}
  initrd (http,${server})${folder}/initrd.img
}
`,
    },
    {
      do: 'emit',
      to: 'pxelinux.cfg',
      text: `LABEL ${title}
  KERNEL vmlinuz
  INITRD initrd.img
  APPEND ${line}
  SYSAPPEND 2
`,
    },
  ]
}

/** What is on the disk for the disk's sake, and what every boot makes anew. */
const diskOnly: readonly string[] = [
  'boot/',
  'dev/',
  'initrd.img*',
  'proc/',
  'run/',
  'swapfile',
  'sys/',
  'tmp/',
  'var/tmp/',
  'vmlinuz*',
]
