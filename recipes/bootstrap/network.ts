// systemd-networkd on every wired interface, whatever its name: an image does not know its hardware.

import type { NetworkSettings } from '../../preseed/read-network.ts'
import type { Step } from '../../tasks/plan/step.ts'

export function network({ address }: NetworkSettings): readonly Step[] {
  if (address === 'loopback') return []
  const lines =
    address === undefined
      ? ['DHCP=yes', '', '[DHCPv4]', 'ClientIdentifier=mac', 'UseDomains=yes']
      : [
          `Address=${address.address}`,
          ...(address.gateway === undefined ? [] : [`Gateway=${address.gateway}`]),
          ...address.nameservers.map((server) => `DNS=${server}`),
        ]
  return [
    {
      do: 'write',
      path: '/etc/systemd/network/80-ethernet.network',
      // Kind=!* leaves out bridges, bonds, tunnels and virtual pairs.
      content: `[Match]\nType=ether\nKind=!*\n\n[Network]\n${lines.join('\n')}\n`,
      mode: '0644',
    },
    // A machine without cable reaches network-online late, but boots without a failed unit.
    {
      do: 'write',
      path: '/etc/systemd/system/systemd-networkd-wait-online.service.d/any.conf',
      content: `[Service]
ExecStart=
ExecStart=/usr/lib/systemd/systemd-networkd-wait-online --any --timeout=30
SuccessExitStatus=1
`,
      mode: '0644',
    },
    { do: 'run', argv: ['systemctl', 'enable', 'systemd-networkd.service'], label: 'enable networking' },
  ]
}
