// Host name, language, time zone, clock.

import type { LocaleSettings } from '../../preseed/read-locale.ts'
import type { NetworkSettings } from '../../preseed/read-network.ts'
import type { Step } from '../../tasks/plan/step.ts'
import { usesLocales } from './base-packages.ts'

export function identity(locale: LocaleSettings, { hostname, domain }: NetworkSettings): readonly Step[] {
  return [...nameMachine(hostname, domain), ...language(locale), ...clock(locale)]
}

/** Also what the recipe `hostname` does. */
export function nameMachine(hostname: string, domain: string | undefined): readonly Step[] {
  const names = domain === undefined ? hostname : `${hostname}.${domain} ${hostname}`
  return [
    { do: 'write', path: '/etc/hostname', content: `${hostname}\n`, mode: '0644' },
    {
      do: 'write',
      path: '/etc/hosts',
      content: `127.0.0.1\tlocalhost
127.0.1.1\t${names}

# The following lines are desirable for IPv6 capable hosts
::1     localhost ip6-localhost ip6-loopback
ff02::1 ip6-allnodes
ff02::2 ip6-allrouters
`,
      mode: '0644',
    },
  ]
}

/** The package locales writes the file itself, from the debconf answers. */
function language(locale: LocaleSettings): readonly Step[] {
  if (usesLocales(locale)) return []
  return [{ do: 'write', path: '/etc/default/locale', content: `LANG=${locale.locale}\n`, mode: '0644' }]
}

function clock({ timezone, utc }: LocaleSettings): readonly Step[] {
  const zone: Step = {
    do: 'run',
    argv: ['sh', '-eu', '-c', setTimezone, 'timezone', timezone],
    label: `time zone ${timezone}`,
  }
  const local: Step = { do: 'write', path: '/etc/adjtime', content: '0.0 0 0.0\n0\nLOCAL\n', mode: '0644' }
  return [...(timezone === 'Etc/UTC' ? [] : [zone]), ...(utc ? [] : [local])]
}

/** Bookworm still keeps the name in /etc/timezone, trixie does not. */
const setTimezone = `test -e "/usr/share/zoneinfo/$1" || {
  echo "time/zone: the image has no time zone $1; old names need tzdata-legacy in pkgsel/include" >&2
  exit 1
}
ln -sfn "/usr/share/zoneinfo/$1" /etc/localtime
if [ -e /etc/timezone ]; then echo "$1" > /etc/timezone; fi
`
