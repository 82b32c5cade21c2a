// A complete, bootable Debian system from an answer file, without booting an installer.

import { refuseErrors } from '../preseed/finding.ts'
import { hostnamePattern } from '../preseed/read-network.ts'
import { type PreseedSettings, readPreseed } from '../preseed/read-preseed.ts'
import { ImgError } from '../tasks/errors.ts'
import { type DiskLayout, finishDiskLayout } from '../tasks/plan/disk-layout.ts'
import {
  checkOptions,
  isLayerOption,
  isText,
  matching,
  oneOf,
  type OptionCheck,
} from '../tasks/plan/options.ts'
import type { Facts, Layer, Recipe } from '../tasks/plan/recipe.ts'
import { suggestHint } from '../tasks/plan/suggest.ts'
import type { Step } from '../tasks/plan/step.ts'
import { type Archives, archiveRules, aptInput } from './archives.ts'
import { accounts } from './bootstrap/accounts.ts'
import { aptSources } from './bootstrap/apt-sources.ts'
import { basePackages, debconfAnswers } from './bootstrap/base-packages.ts'
import { bootLayout, grubDefaults } from './bootstrap/boot-loader.ts'
import { compareArchives } from './bootstrap/compare-archives.ts'
import { fileSystems } from './bootstrap/file-systems.ts'
import { firstBoot } from '../firstboot/first-boot.ts'
import { identity } from './bootstrap/identity.ts'
import { lateCommand } from './bootstrap/late-command.ts'
import { network } from './bootstrap/network.ts'
import { diskBytes, isDiskSize } from './disk-size.ts'
import { defaultTools } from './tools.ts'
import type { Boots, Debian, Firmware, Growing } from './traits.ts'

export interface BootstrapOptions extends Archives {
  /** The answer file, relative to the imgfile. */
  readonly preseed: string
  /** Size of the disk: `'4G'`, `'900M'`. Images grow with the disk they are written to. */
  readonly disk: string
  /** Instead of the answer file's. */
  readonly hostname?: string
  /** Filesystem UUIDs by partition (`root`, `esp`, `swap`, `var-log`), instead of the constant ones. */
  readonly uuids?: Readonly<Record<string, string>>
  /** What the partitions of the answer file let it boot by; both by default. */
  readonly firmware?: Firmware
  readonly tools?: Layer
}

/**
 * Installs Debian as the answer file says and makes a disk of it that boots by BIOS and UEFI.
 *
 * @example layer('install:trixie', bootstrap({ suite: 'trixie', preseed: 'preseed/trixie.cfg', disk: '4G' }))
 */
export function bootstrap<const Kind extends Firmware = 'both'>(
  options: BootstrapOptions & { readonly firmware?: Kind },
): Recipe<Debian & Growing & Boots<Kind>> {
  checkOptions('bootstrap', options, rules)
  const { preseed, tools = defaultTools, firmware = 'both' } = options
  const { kind: _, ...debian } = aptInput(options)
  const boots = {
    ...(firmware === 'uefi' ? {} : { bios: true }),
    ...(firmware === 'bios' ? {} : { uefi: true }),
  }
  return {
    gives: { debian, grows: true, ...boots } as unknown as Debian & Growing & Boots<Kind>,
    name: 'bootstrap',
    mode: 'chroot',
    parent: 'none',
    inputs: {
      preseed: { kind: 'text', path: preseed },
      apt: aptInput(options),
    },
    tools,
    steps: (facts) => {
      const { path, findings, settings } = read(facts, options)
      refuseErrors(findings, path)
      return install(settings, options)
    },
    warnings: (facts) => {
      const { path, findings } = read(facts, options)
      return findings
        .filter(({ severity }) => severity === 'warning')
        .map(({ line, message, hint }) => ({ text: message, hint, path, ...(line === 0 ? {} : { line }) }))
    },
    weight: { memory: 1024 },
  }
}

const isHostname: OptionCheck = matching(hostnamePattern, 'not a host name')

const rules = {
  required: {
    ...archiveRules.required,
    preseed: isText,
    disk: isDiskSize,
  },
  optional: {
    hostname: isHostname,
    ...archiveRules.optional,
    uuids: isUuids,
    firmware: oneOf(['bios', 'uefi', 'both']),
    tools: isLayerOption,
  },
}

function isUuids(value: unknown): string | undefined {
  const pattern = /^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9A-F]{4}-[0-9A-F]{4})$/
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not an object'
  const wrong = Object.values(value).find((uuid) => typeof uuid !== 'string' || !pattern.test(uuid))
  return wrong === undefined ? undefined : `where ${JSON.stringify(wrong)} is no UUID as blkid prints it`
}

function read(
  facts: Facts,
  options: BootstrapOptions,
): { path: string; findings: ReturnType<typeof readPreseed>['findings']; settings: PreseedSettings } {
  const { path, content } = facts.text('preseed')
  const { settings, findings } = readPreseed(content, diskBytes(options.disk))
  const conflicts = compareArchives(settings.apt, options)
  return { path, settings, findings: [...findings, ...conflicts].toSorted((a, b) => a.line - b.line) }
}

/** The installer's order: packages, system, accounts, boot loader, late_command. */
function install(settings: PreseedSettings, options: BootstrapOptions): readonly Step[] {
  const { locale, network: net, apt, packages, boot, commands } = settings
  const layout = finishLayout(settings, options)
  checkFirmware(layout, options)
  const named = options.hostname === undefined ? net : { ...net, hostname: options.hostname }
  const { lateCommand: late } = commands
  return [
    {
      do: 'bootstrap',
      apt: 'apt',
      suite: options.suite,
      variant: packages.variant,
      packages: basePackages(settings, layout),
      recommends: packages.recommends,
      debconf: debconfAnswers(settings),
    },
    ...tasks(packages),
    ...aptSources(options.suite, apt, packages),
    ...identity(locale, named),
    ...network(net),
    ...accounts(settings.accounts),
    ...grubDefaults(boot, layout.boot),
    ...fileSystems(layout),
    ...firstBoot(layout.partitions),
    ...(late === undefined ? [] : [lateCommand(late.command, 'apt')]),
    { do: 'disk', layout },
  ]
}

/** As in the installer, tasks come with what they recommend even where nothing else does. */
function tasks({ recommends, tasks: packages }: PreseedSettings['packages']): readonly Step[] {
  if (recommends || packages.length === 0) return []
  return [{ do: 'apt', apt: 'apt', install: packages, remove: [], recommends: true }]
}

/** What the layer's type promises must hold of the answer file. */
function checkFirmware({ boot }: DiskLayout, { preseed, firmware = 'both' }: BootstrapOptions): void {
  const missing = (['bios', 'uefi'] as const).find(
    (kind) => !boot[kind] && (firmware === kind || firmware === 'both'),
  )
  if (missing === undefined) return
  const method = missing === 'bios' ? 'biosgrub' : 'efi'
  const other = missing === 'bios' ? 'uefi' : 'bios'
  throw new ImgError(
    'OPTION_INVALID',
    `bootstrap: the partitions of ${preseed} have none to boot by ${missing.toUpperCase()}`,
    {
      hint: `add one with method{ ${method} }, or write firmware: '${other}'`,
      path: preseed,
    },
  )
}

function finishLayout({ disk, boot }: PreseedSettings, { uuids = {} }: BootstrapOptions): DiskLayout {
  // Without a layout there was an error among the findings, and they were refused.
  if (disk === undefined) throw new Error('the answer file has no partitions')
  const names = disk.partitions.map(({ name }) => name)
  const unknown = Object.keys(uuids).find((name) => !names.includes(name))
  if (unknown !== undefined) {
    throw new ImgError('OPTION_INVALID', `bootstrap: uuids names the partition "${unknown}"`, {
      hint: suggestHint(unknown, names, 'partitions'),
    })
  }
  const partitions = disk.partitions.map((one) => {
    const uuid = uuids[one.name]
    return uuid === undefined ? one : { ...one, uuid }
  })
  return finishDiskLayout({ ...disk, partitions, boot: bootLayout(boot, partitions) })
}
