// Pure. Runs a script inside an image nobody can log in to, and without changing the image: a system credential of
// systemd-tmpfiles (systemd 250 and newer) lays a unit and a udev rule under /run, and plugging in a port starts the unit.

export interface GuestScript {
  /** POSIX shell; `fact NAME COMMAND…` reports what a command says, `say NAME` reports that a point was reached. */
  readonly text: string
  /** Proves that a line was written by this run. */
  readonly nonce: string
}

/** A fact as the guest wrote it. */
export interface GuestFact {
  readonly name: string
  readonly status: number
  readonly text: string
}

/** Virtio-serial ports: what the script writes to; and what starts it when one is plugged in, numbered, since qemu refuses a name twice. */
export const reportPort = 'img.report'
export const startPort = 'img.start'

/** System credentials with which an image runs the script that is sent to its report port. */
export const guestCredentials: Readonly<Record<string, string>> = {
  get 'tmpfiles.extra'() {
    return [
      'd /run/udev/rules.d 0755 root root -',
      fileLine('/run/udev/rules.d/99-img.rules', rule),
      fileLine('/run/systemd/system/img-script.service', unit),
      '',
    ].join('\n')
  },
}

/** What to write to the report port; it waits there until the guest opens the port. */
export const encodeGuestScript = ({ text, nonce }: GuestScript): string =>
  `${Buffer.from(preamble(nonce) + text).toString('base64')}\n`

/** Undefined when the line is not one of ours: noise on the port, or another run's. */
export function parseGuestFact(line: string, nonce: string): GuestFact | undefined {
  try {
    const { nonce: by, fact, status, data } = JSON.parse(line) as Record<string, unknown>
    if (by !== nonce || typeof fact !== 'string' || typeof status !== 'number' || typeof data !== 'string') {
      return undefined
    }
    return { name: fact, status, text: Buffer.from(data, 'base64').toString('utf8') }
  } catch {
    return undefined
  }
}

/** A line of tmpfiles.d that makes a file; base64, since the line's own syntax expands percent signs. */
export const fileLine = (path: string, content: string): string =>
  `f+~ ${path} 0644 root root - ${Buffer.from(content).toString('base64')}`

const rule = `ACTION=="add", SUBSYSTEM=="virtio-ports", ATTR{name}=="${startPort}*", TAG+="systemd", ENV{SYSTEMD_WANTS}+="img-script.service"\n`

/**
 * Started, not waited for: while a job of ours is pending systemd would not call the boot finished. The script comes
 * over the port, since systemd 252 reads no more than a page of all credentials.
 */
const unit = `[Unit]
Description=Script of img
DefaultDependencies=no

[Service]
Type=exec
ExecStart=/bin/sh -c 'exec 3<>/dev/virtio-ports/${reportPort} && read -r script <&3 && mkdir -p /run/img && echo "$$script" | base64 -d >/run/img/script && exec sh /run/img/script'
`

/** Base64 makes any output one JSON string with nothing but the shell and coreutils. */
const preamble = (nonce: string): string => `exec </dev/null >/dev/null 2>&1
export LC_ALL=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
report() { printf '{"nonce":"${nonce}","fact":"%s","status":%d,"data":"%s"}\\n' "$1" "$2" "$3" >&3; }
say() { report "$1" 0 ""; }
fact() {
  name=$1; shift
  output=$("$@" 2>&1); status=$?
  report "$name" "$status" "$(printf '%s' "$output" | base64 -w0)"
}
say hello
`
