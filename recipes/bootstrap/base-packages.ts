// What a bootable system has beyond its priority classes, and the debconf answers that steer its installation.

import type { DiskLayout } from '../../tasks/plan/disk-layout.ts'
import type { PreseedSettings } from '../../preseed/read-preseed.ts'

export function basePackages(
  { locale, packages, accounts, apt }: PreseedSettings,
  { partitions, boot }: Pick<DiskLayout, 'partitions' | 'boot'>,
): readonly string[] {
  const kinds = new Set(partitions.map(({ content }) => content.kind))
  const wanted = [
    packages.kernel,
    'initramfs-tools',
    'busybox',
    'zstd',
    // The -bin packages and not grub-pc or grub-efi-amd64, which exclude each other: the image boots both ways.
    'grub2-common',
    ...(boot.bios ? ['grub-pc-bin'] : []),
    ...(boot.uefi ? ['grub-efi-amd64-bin', 'efibootmgr'] : []),
    'systemd-sysv',
    'systemd-resolved',
    'systemd-timesyncd',
    'libpam-systemd',
    'dbus',
    'console-setup',
    'kbd',
    'keyboard-configuration',
    'tzdata',
    ...(usesLocales(locale) ? ['locales'] : []),
    // fdisk for growing the last partition.
    'fdisk',
    ...(kinds.has('ext4') ? ['e2fsprogs'] : []),
    ...(kinds.has('xfs') ? ['xfsprogs'] : []),
    ...(kinds.has('esp') ? ['dosfstools'] : []),
    ...(accounts.user?.sudo === true ? ['sudo'] : []),
    ...(apt.mirror.startsWith('https:') ? ['ca-certificates'] : []),
    ...packages.include,
    ...(packages.recommends ? packages.tasks : []),
  ]
  return [...new Set(wanted)].toSorted()
}

/** The file's own answers come last, so that they win. */
export function debconfAnswers({ locale, packages, debconf }: PreseedSettings): readonly string[] {
  const { layout, variant, model, options } = locale.keyboard
  const keyboard = [
    `xkb-keymap select ${variant === '' ? layout : `${layout}(${variant})`}`,
    `modelcode string ${model}`,
    `layoutcode string ${layout}`,
    `variantcode string ${variant}`,
    `optionscode string ${options}`,
  ].map((answer) => `keyboard-configuration keyboard-configuration/${answer}`.trimEnd())
  const generated = [locale.locale, ...locale.otherLocales].filter((name) => !/^C\b/.test(name)).toSorted()
  const locales = usesLocales(locale)
    ? [
        `locales locales/locales_to_be_generated multiselect ${generated.map((name) => `${name} UTF-8`).join(', ')}`,
        `locales locales/default_environment_locale select ${locale.locale}`,
      ]
    : []
  const upgrades = `unattended-upgrades unattended-upgrades/enable_auto_updates boolean ${packages.unattendedUpgrades}`
  return [...keyboard, ...locales, upgrades, ...debconf]
}

/** C.UTF-8 is built into the C library. */
export const usesLocales = ({ locale, otherLocales }: PreseedSettings['locale']): boolean =>
  !/^C\b/.test(locale) || otherLocales.length > 0
