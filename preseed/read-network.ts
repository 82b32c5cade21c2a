// Name and network of the machine. An image meets unknown hardware, so interfaces are matched by kind, not by name.

import { ipFamily } from './ip-address.ts'
import type { Answer } from './parse-preseed.ts'
import type { Sheet } from './sheet.ts'

export interface NetworkSettings {
  readonly hostname: string
  readonly domain: string | undefined
  /** Undefined is DHCP and router advertisements on every wired interface; `loopback` configures none. */
  readonly address: StaticAddress | 'loopback' | undefined
}

export interface StaticAddress {
  /** With prefix length: `192.0.2.7/24`. */
  readonly address: string
  readonly gateway: string | undefined
  readonly nameservers: readonly string[]
}

export function readNetwork(sheet: Sheet): NetworkSettings {
  const address = readAddress(sheet)
  return {
    hostname: readHostname(sheet),
    domain: readDomain(sheet),
    address: readTarget(sheet) ? 'loopback' : address,
  }
}

export const hostnamePattern: RegExp = /^(?!-)[A-Za-z0-9-]{1,63}(?<!-)$/
const domainPattern = /^(?!-)[A-Za-z0-9-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*$/

function readHostname(sheet: Sheet): string {
  const asked = sheet.answer('netcfg/get_hostname')
  const answer = sheet.answer('netcfg/hostname') ?? asked
  // The installer takes a full name apart as well.
  const name = (answer?.value || 'debian').split('.')[0] ?? ''
  if (hostnamePattern.test(name)) return name
  sheet.error(answer, `"${answer?.value}" is no host name`, 'use letters, digits and -, at most 63')
  return 'debian'
}

function readDomain(sheet: Sheet): string | undefined {
  const answer = sheet.answer('netcfg/get_domain')
  const name = sheet.answer('netcfg/get_hostname')?.value ?? ''
  const domain = answer?.value || name.split('.').slice(1).join('.')
  if (domain === '') return undefined
  if (domainPattern.test(domain)) return domain
  sheet.error(answer, `"${domain}" is no domain name`, 'write it like example.org')
  return undefined
}

/** Whether only the loopback interface is wanted. */
function readTarget(sheet: Sheet): boolean {
  const answer = sheet.answer('netcfg/target_network_config')
  const disabled = sheet.answer('netcfg/enable')
  if (disabled?.value === 'false') return true
  if (answer === undefined || answer.value === '') return false
  if (answer.value === 'loopback') return true
  sheet.error(
    answer,
    `networking by "${answer.value}" is not supported`,
    'remove the line: the image uses systemd-networkd; or say loopback',
  )
  return false
}

function readAddress(sheet: Sheet): StaticAddress | undefined {
  const manual = sheet.flag('netcfg/disable_autoconfig', false) || sheet.flag('netcfg/disable_dhcp', false)
  const address = sheet.answer('netcfg/get_ipaddress')
  const netmask = sheet.answer('netcfg/get_netmask')
  const gateway = sheet.answer('netcfg/get_gateway')
  const nameservers = sheet.answer('netcfg/get_nameservers')
  const pointToPoint = sheet.answer('netcfg/get_pointopoint')
  if (pointToPoint !== undefined && pointToPoint.value !== '') {
    sheet.error(pointToPoint, 'point-to-point interfaces are not supported', 'remove the line')
  }
  if (!manual) {
    for (const answer of [address, netmask, gateway, nameservers]) {
      if (answer === undefined || answer.value === '') continue
      sheet.warn(
        answer,
        `${answer.question} has no effect, since the network is configured by DHCP`,
        'set netcfg/disable_autoconfig to true, or remove the line',
      )
    }
    return undefined
  }
  const bad = [address, gateway].find(
    (one) => one !== undefined && one.value !== '' && ipFamily(one.value) === 0,
  )
  if (bad !== undefined) sheet.error(bad, `"${bad.value}" is no IP address`, 'write it like 192.0.2.7')
  const servers = (nameservers?.value ?? '').split(/[\s,]+/).filter(Boolean)
  const wrong = servers.find((server) => ipFamily(server) === 0)
  if (wrong !== undefined) sheet.error(nameservers, `"${wrong}" is no IP address`, 'write it like 192.0.2.7')
  if (address === undefined || address.value === '') {
    sheet.error(undefined, 'netcfg/disable_autoconfig is set without an address', 'add netcfg/get_ipaddress')
    return undefined
  }
  const prefix = prefixLength(netmask, ipFamily(address.value))
  if (prefix === undefined) {
    sheet.error(netmask ?? address, `"${netmask?.value ?? ''}" is no netmask`, 'write it like 255.255.255.0')
    return undefined
  }
  return {
    address: `${address.value}/${prefix}`,
    gateway: gateway?.value || undefined,
    nameservers: servers,
  }
}

/** `255.255.255.0`, `ffff:ffff::` and `24` are all understood. */
function prefixLength(netmask: Answer | undefined, family: number): number | undefined {
  const value = (netmask?.value ?? '').replace(/^\//, '')
  if (/^\d{1,3}$/.test(value)) return Number(value) <= (family === 6 ? 128 : 32) ? Number(value) : undefined
  if (ipFamily(value) === 0 || ipFamily(value) !== family) return undefined
  const bits = family === 4 ? bitsOf(value.split('.'), 10, 8) : bitsOf(groupsOf(value), 16, 16)
  return /^1*0*$/.test(bits) ? (bits.indexOf('0') === -1 ? bits.length : bits.indexOf('0')) : undefined
}

const bitsOf = (parts: readonly string[], base: number, width: number): string =>
  parts.map((part) => parseInt(part, base).toString(2).padStart(width, '0')).join('')

function groupsOf(address: string): readonly string[] {
  const [before = '', after] = address.split('::')
  const left = before.split(':').filter(Boolean)
  const right = (after ?? '').split(':').filter(Boolean)
  return [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right]
}
