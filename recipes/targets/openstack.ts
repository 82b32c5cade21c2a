// An image for Glance: qcow2 with cloud-init, and its properties, as data and as a command line.

import { checkOptions, isTexts, listOf, matching, oneOf, type OptionRules } from '../../tasks/plan/options.ts'
import type { Layer } from '../../tasks/plan/recipe.ts'
import type { JsonValue } from '../../tasks/plan/step.ts'
import type { BootsBios, BootsUefi, Debian, Growing } from '../traits.ts'
import { requireTraits } from '../traits.ts'
import { cloudDisk, type Datasource, datasources } from './cloud-disk.ts'
import { releaseFacts } from '../puppet/release-facts.ts'
import { target, targetRules, type TargetOptions } from './target.ts'

interface OpenstackSettings extends TargetOptions {
  /** What the image is called in Glance; the layer's own name by default. */
  readonly image?: string
  /** Where cloud-init looks for its instance, in this order. */
  readonly datasources?: readonly Datasource[]
  /** Account cloud-init gives keys and sudo. */
  readonly user?: string
  /** Megabytes a flavor must have; 512 by default. */
  readonly minRam?: number
  /** Glance properties beside and instead of the usual ones. */
  readonly properties?: Readonly<Record<string, string>>
}

/** Instances start by BIOS unless told. */
export type OpenstackOptions = OpenstackSettings & { readonly firmware?: 'bios' | 'uefi' }

/**
 * `disk.qcow2`, `image.json` with Glance's properties, and `create.sh`, which uploads it.
 *
 * @example openstack(role, { properties: { hw_watchdog_action: 'reset' } })
 */
export function openstack(
  from: Layer<Debian & Growing & BootsUefi>,
  options: OpenstackSettings & { readonly firmware: 'uefi' },
): Layer
export function openstack(
  from: Layer<Debian & Growing & BootsBios>,
  options?: OpenstackSettings & { readonly firmware?: 'bios' },
): Layer
export function openstack(from: Layer<Debian & Growing>, options: OpenstackOptions = {}): Layer {
  checkOptions('openstack', options, { required: {}, optional: rules })
  const { firmware = 'bios', minRam = 512 } = options
  requireTraits('openstack', from, {
    debian: 'has no package archives to install cloud-init from',
    grows: 'has no root filesystem that grows',
    [firmware]: `does not boot by ${firmware.toUpperCase()}`,
  })
  const disk = cloudDisk('openstack', from, options)
  const name = options.image ?? from.name.slice(from.name.indexOf(':') + 1)
  const properties = glanceProperties(from, options, firmware)
  const image = {
    name,
    disk_format: 'qcow2',
    container_format: 'bare',
    min_disk: number('disk-gib'),
    min_ram: minRam,
    size: number('size disk.qcow2'),
    os_hash_algo: 'sha512',
    os_hash_value: '{{sha512 disk.qcow2}}',
    properties,
  }
  return target('openstack', {
    from: disk,
    of: from,
    options,
    steps: [
      { do: 'convert', to: 'disk.qcow2', format: 'qcow2', compress: true, options: { compat: '1.1' } },
      { do: 'emit', to: 'image.json', text: renderNumbers(image) },
      { do: 'emit', to: 'create.sh', text: createCommand(name, minRam, properties) },
      { do: 'checksums', to: 'SHA256SUMS', algorithm: 'sha256' },
    ],
  })
}

const rules: OptionRules['optional'] = {
  ...targetRules,
  image: matching(/^[^'\\\n]{1,255}$/, 'not a name without quotes'),
  datasources: listOf(oneOf(datasources)),
  user: matching(/^[a-z][-a-z0-9_]{0,31}$/, 'no user name'),
  minRam: (value) => (Number.isSafeInteger(value) && Number(value) > 0 ? undefined : 'not a number of MiB'),
  properties: isTexts,
  firmware: oneOf(['bios', 'uefi']),
}

/** Names and values as Glance's and libosinfo's lists have them. */
function glanceProperties(
  from: Layer<Debian & Growing>,
  { user = 'debian', properties = {} }: OpenstackSettings,
  firmware: 'bios' | 'uefi',
): Readonly<Record<string, string>> {
  const os = releaseFacts(from.traits.debian.suite)['os'] as {
    readonly name: string
    readonly release?: { readonly major: string }
  }
  return {
    architecture: '{{machine}}',
    hw_disk_bus: 'scsi',
    hw_scsi_model: 'virtio-scsi',
    hw_vif_model: 'virtio',
    hw_vif_multiqueue_enabled: 'true',
    hw_rng_model: 'virtio',
    hw_serial_port_count: '1',
    ...(firmware === 'uefi' ? { hw_firmware_type: 'uefi', hw_machine_type: 'q35' } : {}),
    img_key: '{{key}}',
    os_admin_user: user,
    os_distro: os.name.toLowerCase(),
    os_type: 'linux',
    ...(os.release === undefined ? {} : { os_version: os.release.major }),
    ...properties,
  }
}

function createCommand(name: string, minRam: number, properties: Readonly<Record<string, string>>): string {
  const options = Object.entries(properties).map(
    ([key, value]) => `  --property ${quote(`${key}=${value}`)} \\`,
  )
  return [
    '#!/bin/sh',
    '# Uploads the image beside this file; more options of `openstack image create` may follow.',
    'exec openstack image create --disk-format qcow2 --container-format bare \\',
    `  --min-disk {{disk-gib}} --min-ram ${minRam} \\`,
    ...options,
    `  --file "$(dirname "$0")/disk.qcow2" "$@" ${quote(name)}`,
    '',
  ].join('\n')
}

const quote = (text: string): string =>
  /^[\w./:={}-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`

/** A fact that is a number in JSON; its quotes go when it is rendered. */
const number = (fact: string): string => `{{${fact}}}#`

const renderNumbers = (value: JsonValue): string =>
  `${JSON.stringify(value, null, 2).replaceAll(/"(\{\{[^{}]+\}\})#"/g, '$1')}\n`
