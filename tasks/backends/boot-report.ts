// Pure. What a booted image says about itself: the script that asks, and its answers as a value.

import type { Accelerator } from './acceleration.ts'
import type { GuestFact } from './guest-script.ts'

export interface BootReport {
  /** `running`, `degraded`, `starting`… */
  readonly state: string
  readonly multiUser: boolean
  readonly failedUnits: readonly string[]
  /** Last journal lines of the failed units. */
  readonly failedLog: string
  readonly hostname: string
  readonly machineId: string
  /** Fingerprints, sorted. */
  readonly hostKeys: readonly string[]
  /** Of DHCP clients that keep one in a file, sorted. */
  readonly duids: readonly string[]
  readonly randomSeed: string
  /** Version by name, of installed packages only. */
  readonly packages: Readonly<Record<string, string>>
  /** What `dpkg --audit` complains about. */
  readonly audit: string
  readonly services: Readonly<Record<string, ServiceState>>
  /** `tcp 0.0.0.0:22`, sorted. */
  readonly listening: readonly string[]
  /** Kernel messages that say that something is broken. */
  readonly kernelErrors: readonly string[]
  /** Bytes. */
  readonly rootSize: number
  readonly rootFree: number
}

export interface ServiceState {
  readonly loaded: boolean
  readonly active: boolean
  /** systemd did not start it because a condition of the unit does not hold. */
  readonly waitsForCondition: boolean
  readonly enabled: string
}

/**
 * Asks for everything above. `end` comes last; without it the report is not complete. What an emulated processor did not
 * get to do in time says how busy this machine is, and nothing of the image.
 */
export function makeBootScript(services: readonly string[], accelerator: Accelerator): string {
  const kernelLog = `journalctl -b -k -o cat --no-pager${accelerator === 'tcg' ? ` | ${withoutLockups}` : ''}`
  return `while :; do
  state=$(timeout 30 systemctl is-system-running --wait)
  [ $? = 124 ] || break
  fact jobs systemctl list-jobs --no-legend
done
fact state echo "$state"
fact multi-user systemctl is-active multi-user.target
fact failed-units systemctl list-units --failed --plain --no-legend --no-pager
fact failed-log sh -c 'for unit in $(systemctl list-units --failed --plain --no-legend | cut -d" " -f1); do journalctl -b -u "$unit" -n 10 -o cat --no-pager; done'
fact hostname uname -n
fact machine-id cat /etc/machine-id
fact host-keys sh -c 'for key in /etc/ssh/ssh_host_*_key.pub; do [ ! -e "$key" ] || cut -d" " -f1,2 "$key" | sha256sum | cut -c1-64; done'
fact duids sh -c 'cat /var/lib/dhcpcd/duid /var/lib/dhcp/*.leases 2>/dev/null | grep -E "duid|^[0-9a-f:]+$"; :'
fact random-seed sh -c 'sha256sum < /var/lib/systemd/random-seed | cut -c1-64'
fact packages dpkg-query --show --showformat '\${db:Status-Status} \${Package} \${Version}\\n'
fact audit dpkg --audit
fact services sh -c 'for unit do systemctl show --property=Id,LoadState,ActiveState,ConditionResult,ConditionTimestamp,UnitFileState "$unit"; echo "asked=$unit"; echo; done' sh ${services.map(quoted).join(' ')}
fact listening sh -c 'command -v ss >/dev/null || exit 0; ss -Hltun'
fact kernel-errors sh -c '${kernelLog} | grep -E "${kernelTrouble}"; :'
fact root df -P -B1 /
say end
systemctl poweroff
`
}

/** Undefined while facts are missing. */
export function toBootReport(facts: readonly GuestFact[]): BootReport | undefined {
  const byName = new Map(facts.map((fact) => [fact.name, fact.text]))
  if (!byName.has('end')) return undefined
  const text = (name: string): string => byName.get(name) ?? ''
  const lines = (name: string): readonly string[] =>
    text(name)
      .split('\n')
      .filter((line) => line !== '')
  const [, size, , free] = (lines('root').at(-1) ?? '').split(/ +/).map(Number)
  return {
    state: text('state'),
    multiUser: text('multi-user') === 'active',
    failedUnits: lines('failed-units').map((line) => line.split(' ')[0] ?? line),
    failedLog: text('failed-log'),
    hostname: text('hostname'),
    machineId: text('machine-id'),
    hostKeys: sorted(lines('host-keys')),
    duids: sorted(lines('duids')),
    randomSeed: text('random-seed'),
    packages: installed(lines('packages')),
    audit: text('audit'),
    services: serviceStates(text('services')),
    listening: sorted(new Set(lines('listening').map(listener))),
    kernelErrors: lines('kernel-errors'),
    rootSize: size ?? 0,
    rootFree: free ?? 0,
  }
}

/** With their traces. */
const withoutLockups = 'sed "/soft lockup/,/<\\/TASK>/d"'

const kernelTrouble =
  'BUG:|Oops:|EXT4-fs error|XFS .*(corrupt|Internal error)|I/O error|Call Trace:|hung_task|soft lockup'

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

const sorted = (values: Iterable<string>): readonly string[] =>
  [...values].toSorted((a, b) => (a < b ? -1 : 1))

function installed(lines: readonly string[]): Readonly<Record<string, string>> {
  const words = lines.map((line) => line.split(' ')).filter(([status]) => status === 'installed')
  return Object.fromEntries(words.map(([, name, version]) => [name ?? '', version ?? '']))
}

function serviceStates(text: string): Readonly<Record<string, ServiceState>> {
  const blocks = text.split('\n\n').map((block) => new Map(block.split('\n').map(property)))
  return Object.fromEntries(
    blocks.flatMap((block) => {
      const asked = block.get('asked')
      return asked === undefined ? [] : [[asked, serviceState(block)] as const]
    }),
  )
}

const serviceState = (properties: ReadonlyMap<string, string>): ServiceState => ({
  loaded: properties.get('LoadState') === 'loaded',
  active: ['active', 'activating', 'reloading'].includes(properties.get('ActiveState') ?? ''),
  // The result is `no` as well for a unit nobody tried to start; only the time tells.
  waitsForCondition:
    properties.get('ActiveState') === 'inactive' &&
    properties.get('ConditionResult') === 'no' &&
    properties.get('ConditionTimestamp') !== '',
  enabled: properties.get('UnitFileState') ?? '',
})

function property(line: string): readonly [string, string] {
  const at = line.indexOf('=')
  return [line.slice(0, at), line.slice(at + 1)]
}

/** `tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:*`. */
function listener(line: string): string {
  const [protocol, , , , address] = line.split(/ +/)
  return `${protocol} ${address}`
}
