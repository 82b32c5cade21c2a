// Pure. What a machine does at its first boot for a firstboot step: the shell program that carries the step's script, and
// the files that go with it. Everything lies on a tmpfs that is gone with the machine.

import { posix } from 'node:path'
import { secretsFolder } from '../plan/secret.ts'
import type { GuestFact } from './guest-script.ts'

/** Bytes for the machine; `path` is below the machine's private folder. */
export interface GuestFile {
  readonly path: string
  readonly mode: '0400' | '0644'
  readonly content: Uint8Array
}

export interface Firstboot {
  readonly script: string
  /** Seconds the script may take. */
  readonly limit: number
  readonly env: Readonly<Record<string, string>>
  readonly files: readonly GuestFile[]
  /** Lines put in front of the machine's own /etc/hosts while the script runs. */
  readonly hosts: readonly string[]
  /** Shell that runs before the script, when the machine is up. */
  readonly prepare?: string
}

export interface FirstbootProgram {
  /** For `GuestScript.text`. */
  readonly text: string
  /** To be written to the report port once the program said hello. */
  readonly payload: Uint8Array
}

/** Where a script finds what it was given; `out/` in it is what the script hands back. */
export const guestFolder = '/run/img/firstboot'

/** What the script prints comes through a port of its own, raw. */
export const logPort = 'img.log'

export function makeFirstboot(step: Firstboot): FirstbootProgram {
  const files = [...step.files, { path: 'script', mode: '0400' as const, content: Buffer.from(step.script) }]
  return { text: makeProgram(step, files), payload: Buffer.concat(files.map(({ content }) => content)) }
}

export interface FirstbootReport {
  /** The script began. */
  readonly began: boolean
  /** Exit code of what had to go well before it. */
  readonly unprepared?: number
  /** Absent when the script did not end, or the machine could not say so. */
  readonly ended?: { readonly exitCode: number; readonly seconds: number }
  /** What the script left in `out/`, by name. */
  readonly out: Readonly<Record<string, string>>
  /** What systemd was waiting for when it was last asked. */
  readonly jobs: string
}

export function readFirstboot(facts: readonly GuestFact[]): FirstbootReport {
  const done = facts.find(({ name }) => name === 'done')
  const unprepared = facts.find(({ name }) => name === 'unprepared')
  const [started, ended] = (done?.text ?? '').split(' ').map(Number)
  const out = facts.flatMap(({ name, text }) =>
    name.startsWith('out:') ? [[name.slice(4), text] as const] : [],
  )
  return {
    began: facts.some(({ name }) => name === 'began'),
    ...(unprepared === undefined ? {} : { unprepared: unprepared.status }),
    ...(done === undefined
      ? {}
      : { ended: { exitCode: done.status, seconds: (ended ?? 0) - (started ?? 0) } }),
    out: Object.fromEntries(out),
    jobs:
      facts
        .findLast(({ name }) => name === 'jobs')
        ?.text.replaceAll(/\s+/g, ' ')
        .trim() ?? '',
  }
}

/**
 * The last report goes to the serial line as well: should the port be lost, the console still tells. Reports are
 * written by one process at a time, or lines would run into each other.
 */
function makeProgram({ env, limit, hosts, prepare, script }: Firstboot, files: readonly GuestFile[]): string {
  return `umask 077
while :; do
  state=$(timeout 30 systemctl is-system-running --wait)
  [ $? = 124 ] || break
  fact jobs systemctl list-jobs --no-legend
done
mkdir -p ${guestFolder}
mount -t tmpfs -o mode=0700,nosuid,nodev img ${guestFolder}
mkdir ${guestFolder}/out
ln -s firstboot/secrets ${secretsFolder}
${files.map(receive).join('\n')}
${hosts.length === 0 ? '' : addHosts(hosts)}
${Object.entries(env)
  .map(([name, value]) => `export ${name}=${quoted(value)}`)
  .join('\n')}
export HOME=/root
umask 022
cd /
while :; do sleep 20; say alive; done &
alive=$!
started=$(date +%s)
(
  exec 3>&- >/dev/virtio-ports/${logPort} 2>&1
  ${prepare ?? ':'}
) || prepared=$?
if [ -n "\${prepared-}" ]; then
  code=$prepared
  report unprepared "$code" ""
else
  say began
  timeout -k 30 ${limit} ${interpreter(script)} ${guestFolder}/script 3>&- >/dev/virtio-ports/${logPort} 2>&1
  code=$?
fi
ended=$(date +%s)
kill $alive
for file in ${guestFolder}/out/*; do
  [ ! -f "$file" ] || fact "out:\${file##*/}" cat "$file"
done
cd /
${hosts.length === 0 ? '' : 'umount /etc/hosts'}
umount ${guestFolder} || umount -l ${guestFolder}
rm -rf /run/img
sync
times=$(printf '%s %s' "$started" "$ended" | base64 -w0)
report done "$code" "$times"
[ ! -c /dev/ttyS0 ] || { echo >&3; report done "$code" "$times"; } 3>/dev/ttyS0
systemctl poweroff
`
}

function receive({ path, mode, content }: GuestFile): string {
  const at = `${guestFolder}/${path}`
  const folder = posix.dirname(at)
  return `mkdir -p ${folder} && head -c ${content.length} <&3 >${at} && chmod ${mode} ${at}`
}

/** The file itself is not touched. */
const addHosts = (lines: readonly string[]): string =>
  `{ printf '%s\\n' ${lines.map(quoted).join(' ')}; cat /etc/hosts; } >${guestFolder}/hosts
chmod 0644 ${guestFolder}/hosts
mount --bind ${guestFolder}/hosts /etc/hosts`

/** /run may be mounted noexec, and files there are not executable. */
function interpreter(script: string): string {
  const line = /^#! *(\S.*?) *(?:\n|$)/.exec(script)?.[1]
  return line === undefined ? 'sh' : line.split(/ +/).map(quoted).join(' ')
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
