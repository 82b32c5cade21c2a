// The tool tree: what writes into artifacts comes from here and not from the host, so that keys hold on every machine.

import { layer } from '../tasks/plan/declare.ts'
import { checkOptions, isFlag, matching } from '../tasks/plan/options.ts'
import type { AptInput, Layer, Recipe } from '../tasks/plan/recipe.ts'

export interface ToolsOptions {
  /** Debian release the tools are from, not the one of the images they make. */
  readonly suite: 'trixie'
  readonly updates?: boolean
  readonly security?: boolean
}

/**
 * The layer `tools:<suite>` every recipe with tools runs them from.
 *
 * @example bootstrap({ suite: 'bookworm', preseed: 'preseed/bookworm.cfg', disk: '4G', tools: tools({ suite: 'trixie' }) })
 */
export function tools(options: ToolsOptions): Layer {
  checkOptions('tools', options, {
    // e2fsprogs before 1.47.1 copies change times into `mkfs.ext4 -d`, so older releases cannot make equal disks.
    required: {
      suite: matching(/^trixie$/, 'not trixie, the only release whose mkfs.ext4 makes equal disks'),
    },
    optional: { updates: isFlag, security: isFlag },
  })
  return layer(`tools:${options.suite}`, toolTree(options, toolPackages))
}

export function toolTree(
  { suite, updates = true, security = true }: ToolsOptions,
  packages: readonly string[],
): Recipe {
  const apt: AptInput = { kind: 'apt', suite, components: ['main'], updates, security }
  return {
    name: 'tools',
    mode: 'chroot',
    parent: 'none',
    inputs: { apt },
    steps: () => [
      {
        do: 'bootstrap',
        apt: 'apt',
        suite,
        variant: 'apt',
        packages,
        recommends: false,
        debconf: [],
      },
      { do: 'remove', paths: leftByVersion },
      { do: 'archive' },
    ],
    weight: { memory: 1024 },
  }
}

/** What other versions of the host's mmdebstrap and apt leave otherwise; nothing is installed into a tool tree later. */
const leftByVersion = ['/var/cache/debconf/*', '/var/lib/apt/extended_states']

export const toolPackages: readonly string[] = [
  // Making and changing root trees.
  'mmdebstrap',
  'debian-archive-keyring',
  'eatmydata',
  // The scripts that change an image from outside are in Perl, with modules perl-base lacks.
  'perl',
  // mke2fs reads tar input through it.
  'libarchive13t64',
  'tar',
  'zstd',
  'xz-utils',
  // Disks and filesystems.
  'e2fsprogs',
  'xfsprogs',
  'dosfstools',
  'mtools',
  'fdisk',
  'util-linux',
  'mount',
  'squashfs-tools',
  // Boot loaders.
  'grub-common',
  'grub2-common',
  'grub-pc-bin',
  'grub-efi-amd64-bin',
  // Configuration.
  'puppet-agent',
  'ruby-augeas',
  'augeas-lenses',
].toSorted()

/** What recipes use unless they are given another; one value, so that a graph has one tool tree. */
export const defaultTools: Layer = tools({ suite: 'trixie' })
