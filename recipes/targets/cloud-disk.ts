// The disk of clouds: cloud-init takes over what makes an instance of it. A layer of its own, shared by the targets
// that need one.

import type { Layer } from '../../tasks/plan/recipe.ts'
import type { Step } from '../../tasks/plan/step.ts'
import type { Debian } from '../traits.ts'
import { instanceIdentity } from './instance-identity.ts'
import { targetDisk } from './target.ts'

/** In cloud-init's own spelling. `None` ends a search that found nothing. */
export const datasources = ['NoCloud', 'ConfigDrive', 'OpenStack', 'Ec2', 'None'] as const
export type Datasource = (typeof datasources)[number]

export interface CloudOptions {
  readonly datasources?: readonly Datasource[]
  readonly user?: string
}

/** The layer `<kind>-disk:…` with cloud-init. */
export const cloudDisk = <Has extends Debian>(
  kind: string,
  from: Layer<Has>,
  options: CloudOptions,
): Layer<Has> => targetDisk(kind, from, { name: 'cloud-init', steps: steps(options) })

function steps({
  datasources: list = ['ConfigDrive', 'OpenStack', 'NoCloud', 'None'],
  user,
}: CloudOptions): readonly Step[] {
  return [
    {
      do: 'apt',
      apt: 'apt',
      // growpart is in cloud-guest-utils.
      install: ['cloud-guest-utils', 'cloud-init'],
      remove: [],
      recommends: false,
    },
    {
      do: 'write',
      path: '/etc/cloud/cloud.cfg.d/90-img.cfg',
      content: settings(list, user),
      mode: '0644',
    },
    {
      do: 'write',
      path: '/etc/systemd/system/img-ssh-host-keys.service.d/cloud-init.conf',
      content: afterCloudInit,
      mode: '0644',
    },
    ...instanceIdentity(),
    { do: 'run', argv: ['sh', '-euc', serialConsole], label: 'serial console' },
  ]
}

function settings(list: readonly Datasource[], user: string | undefined): string {
  return [
    `datasource_list: [${list.join(', ')}]`,
    'datasource:',
    '  OpenStack:',
    '    metadata_urls: ["http://169.254.169.254"]',
    '    max_wait: 30',
    '    timeout: 10',
    'growpart: { mode: growpart, devices: ["/"] }',
    'resize_rootfs: true',
    'system_info:',
    '  network: { renderers: [networkd] }',
    ...(user === undefined ? [] : [`  default_user: { name: ${user} }`]),
    '',
  ].join('\n')
}

/** Each instance gets keys of its own from cloud-init; without an instance the image makes them as before. */
const afterCloudInit = `[Unit]
After=cloud-init.service cloud-init-network.service
`

/** Where the answer file asked for another console only, the cloud's log shows nothing. */
const serialConsole = `test -e /etc/default/grub || exit 0
grep -q '^GRUB_CMDLINE_LINUX=.*console=ttyS0' /etc/default/grub && exit 0
mkdir -p /etc/default/grub.d
echo 'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX console=tty0 console=ttyS0,115200n8"' >/etc/default/grub.d/90-serial.cfg
update-grub
`
