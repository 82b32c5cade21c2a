import { expect, test } from 'vitest'
import { readPreseed } from '../../preseed/read-preseed.ts'

const others = 'd-i passwd/root-login boolean false\nd-i passwd/make-user boolean false\n'

const table: readonly [answers: string, said: readonly string[]][] = [
  [
    'd-i netcfg/get_hostname string -web-',
    ['error 3: "-web-" is no host name -> use letters, digits and -, at most 63'],
  ],
  [
    'd-i netcfg/get_domain string exa_mple',
    ['error 3: "exa_mple" is no domain name -> write it like example.org'],
  ],
  [
    'd-i netcfg/target_network_config select ifupdown',
    [
      'error 3: networking by "ifupdown" is not supported -> remove the line: the image uses systemd-networkd; or say loopback',
    ],
  ],
  [
    'd-i netcfg/get_ipaddress string 192.0.2.7',
    [
      'warning 3: netcfg/get_ipaddress has no effect, since the network is configured by DHCP -> set netcfg/disable_autoconfig to true, or remove the line',
    ],
  ],
  [
    'd-i netcfg/disable_autoconfig boolean true',
    ['error 0: netcfg/disable_autoconfig is set without an address -> add netcfg/get_ipaddress'],
  ],
  [
    'd-i netcfg/disable_autoconfig boolean true\nd-i netcfg/get_ipaddress string 192.0.2.7\nd-i netcfg/get_netmask string 255.0.255.0',
    ['error 5: "255.0.255.0" is no netmask -> write it like 255.255.255.0'],
  ],
  [
    'd-i netcfg/disable_autoconfig boolean true\nd-i netcfg/get_ipaddress string 192.0.2\nd-i netcfg/get_netmask string 24',
    ['error 4: "192.0.2" is no IP address -> write it like 192.0.2.7'],
  ],
  [
    'd-i netcfg/disable_autoconfig boolean true\nd-i netcfg/get_ipaddress string 192.0.2.7\nd-i netcfg/get_netmask string 24\nd-i netcfg/get_nameservers string one',
    ['error 6: "one" is no IP address -> write it like 192.0.2.7'],
  ],
  [
    'd-i netcfg/get_pointopoint string 192.0.2.1',
    ['error 3: point-to-point interfaces are not supported -> remove the line'],
  ],
]

test.each(table)('what is said of %j', (answers, said) => {
  const found = readPreseed(`${others}${answers}\n`).findings
  expect(found.map((one) => `${one.severity} ${one.line}: ${one.message} -> ${one.hint}`)).toEqual(said)
})

const read = (answers: string): unknown => readPreseed(`${others}${answers}\n`).settings.network

test('a full name is taken apart', () => {
  expect(read('d-i netcfg/get_hostname string web.example.org')).toEqual({
    hostname: 'web',
    domain: 'example.org',
    address: undefined,
  })
})

test('netcfg/hostname wins', () => {
  const answers = 'd-i netcfg/get_hostname string one\nd-i netcfg/hostname string two'
  expect(read(answers)).toMatchObject({ hostname: 'two' })
})

test.each([
  ['192.0.2.7', '255.255.254.0', '192.0.2.7/23'],
  ['192.0.2.7', '24', '192.0.2.7/24'],
  ['192.0.2.7', '255.255.255.255', '192.0.2.7/32'],
  ['2001:db8::2', 'ffff:ffff:ffff:ffff::', '2001:db8::2/64'],
  ['2001:db8::2', '64', '2001:db8::2/64'],
])('%s with netmask %s is %s', (address, netmask, wanted) => {
  const answers = `d-i netcfg/disable_autoconfig boolean true
d-i netcfg/get_ipaddress string ${address}
d-i netcfg/get_netmask string ${netmask}
d-i netcfg/get_nameservers string 192.0.2.1 2001:db8::1`
  expect(read(answers)).toMatchObject({
    address: { address: wanted, gateway: undefined, nameservers: ['192.0.2.1', '2001:db8::1'] },
  })
})

test.each(['d-i netcfg/enable boolean false', 'd-i netcfg/target_network_config select loopback'])(
  '%s leaves the interfaces alone',
  (answers) => {
    expect(read(answers)).toMatchObject({ address: 'loopback' })
  },
)
