// What is put into the installer's memory: the answers, where packages come from on this machine, and the report that
// it got to its end. Pure. Nothing of the mirror stays in the image.

import type { InstallStep } from '../plan/step.ts'

export interface InstallerFiles {
  /** Files at the root of the installer's initrd, by name. */
  readonly inject: Readonly<Record<string, string>>
  /** Files of the disk labelled `cidata`, by name; absent where the installer wants none. */
  readonly seed?: Readonly<Record<string, string>>
  /** Kernel arguments, those of the step included. */
  readonly arguments: readonly string[]
}

export interface InstallerSurroundings {
  /** Proves that the report is this run's. */
  readonly nonce: string
  /** As the guest sees it; absent: the answers' own. */
  readonly mirror?: InstallerMirror
}

export interface InstallerMirror {
  readonly packages: string
  readonly security?: string
  /** The mirror's list of the installer's own parts has no signature. */
  readonly unsigned: boolean
}

export const installerPort = 'img.report'

export function makeInstallerFiles(step: InstallStep, around: InstallerSurroundings): InstallerFiles {
  return makers[step.answers.kind](step, around)
}

/**
 * Exit status of the answer file's own last commands; undefined while nothing was reported. The last one counts: an
 * installer can still fail behind them, and then reports that too.
 */
export function findReport(text: string, nonce: string): number | undefined {
  const found = [...text.matchAll(new RegExp(`img-report ${nonce} (\\d+)`, 'g'))].at(-1)?.[1]
  return found === undefined ? undefined : Number(found)
}

const makers = { preseed: forPreseed, kickstart: forKickstart, autoinstall: forAutoinstall }

function forPreseed(step: InstallStep, { nonce, mirror }: InstallerSurroundings): InstallerFiles {
  const { text } = step.answers
  const late = answerTo(text, 'preseed/late_command')
  const lines = [
    ...(mirror === undefined ? [] : mirrorAnswers(mirror)),
    'd-i preseed/late_command string sh /img-finish',
    'd-i debian-installer/exit/poweroff boolean true',
  ]
  return {
    // The installer reads this name by itself, before it asks anything.
    inject: {
      'preseed.cfg': `${text}${lines.join('\n')}\n`,
      'img-finish': finishScript({ nonce, late, published: publishedMirrors(text), mirror }),
    },
    arguments: step.arguments,
  }
}

/** The last answer counts. */
function answerTo(text: string, question: string): string {
  const line = text.split('\n').findLast((one) => one.startsWith(`d-i ${question} `))
  return line?.split(' ').slice(3).join(' ') ?? ''
}

function mirrorAnswers({ packages, security, unsigned }: InstallerMirror): readonly string[] {
  const { protocol, host, pathname } = new URL(packages)
  const scheme = protocol.slice(0, -1)
  const own = security === undefined ? undefined : new URL(security)
  return [
    'd-i mirror/country string manual',
    `d-i mirror/protocol select ${scheme}`,
    `d-i mirror/${scheme}/hostname string ${host}`,
    `d-i mirror/${scheme}/directory string ${pathname.replace(/\/+$/, '') || '/'}`,
    `d-i mirror/${scheme}/proxy string`,
    ...(own === undefined ? [] : [`d-i apt-setup/security_host string ${own.host}`]),
    ...(unsigned ? ['d-i debian-installer/allow_unauthenticated boolean true'] : []),
  ]
}

interface Published {
  readonly packages: string
  readonly security: string
}

/** Where the answers say that the image gets its packages from. */
function publishedMirrors(text: string): Published {
  const scheme = answerTo(text, 'mirror/protocol') || 'http'
  const host = answerTo(text, `mirror/${scheme}/hostname`) || 'ftp.debian.org'
  const directory = answerTo(text, `mirror/${scheme}/directory`) || '/debian'
  return {
    packages: `${scheme}://${host}${directory.replace(/\/+$/, '')}`,
    security: `http://${answerTo(text, 'apt-setup/security_host') || 'security.debian.org'}`,
  }
}

/**
 * The installer's own shell is busybox's. What the answers asked for runs first, as the installer would run it; then the
 * image forgets the mirror it was installed from.
 */
function finishScript(about: {
  readonly nonce: string
  readonly late: string
  readonly published: Published
  readonly mirror: InstallerMirror | undefined
}): string {
  const { nonce, late, published, mirror } = about
  const renames =
    mirror === undefined
      ? []
      : [
          ...rename(mirror.packages.replace(/\/+$/, ''), published.packages),
          ...rename(
            mirror.security === undefined ? undefined : new URL(mirror.security).origin,
            published.security,
          ),
        ]
  return `#!/bin/sh
cat >/tmp/img-late <<'img-end-of-late-command'
${late}
img-end-of-late-command
sh /tmp/img-late
status=$?

${renameMirrors(renames)}
rm -f /target/etc/apt/apt.conf.d/00AllowUnauthenticated
rm -f /target/etc/apt/apt.conf.d/00trustcdrom

chroot /target modprobe virtio_console 2>/dev/null
${reportTo(nonce, '$status')}
exit 0
`
}

const rename = (from: string | undefined, to: string): readonly string[] =>
  from === undefined || from === to ? [] : [`rename_mirror ${quoted(from)} ${quoted(to)}`]

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** In the lists of the image, below /target. */
const renameMirrors = (renames: readonly string[]): string => `rename_mirror() {
  for list in /target/etc/apt/sources.list /target/etc/apt/sources.list.d/*; do
    [ ! -f "$list" ] || sed -i -e "s|$1\\([ /]\\)|$2\\1|g" -e "s|$1$|$2|" "$list"
  done
}
${renames.join('\n')}`

/** To the port, and to the console in case the kernel has no driver for it. */
const reportTo = (nonce: string, status: string): string =>
  `for to in /dev/virtio-ports/${installerPort} /dev/ttyS0; do
  [ ! -c "$to" ] || printf '\\nimg-report ${nonce} %s\\n' "${status}" >"$to"
done`

function forKickstart(step: InstallStep, { nonce, mirror }: InstallerSurroundings): InstallerFiles {
  const { text } = step.answers
  const section = (head: string, status: string): string => `\n${head}\n${reportTo(nonce, status)}\n%end\n`
  return {
    inject: { 'ks.cfg': `${text}${section('%post', '0')}${section('%onerror', '1')}` },
    arguments: [
      'inst.ks=file:/ks.cfg',
      ...(mirror === undefined ? [] : [`inst.repo=${mirror.packages}`]),
      ...step.arguments,
    ],
  }
}

function forAutoinstall(step: InstallStep, { nonce, mirror }: InstallerSurroundings): InstallerFiles {
  const answers = JSON.parse(step.answers.text) as Readonly<Record<string, unknown>>
  const listed = (key: string): readonly unknown[] => (answers[key] as readonly unknown[] | undefined) ?? []
  const report = (status: string): readonly string[] => ['sh', '-c', reportTo(nonce, status)]
  const apt = answers['apt'] as UbuntuApt | undefined
  const autoinstall = {
    ...answers,
    ...(mirror === undefined ? {} : { apt: { ...apt, ...aptMirror(mirror) } }),
    'late-commands': [
      ...listed('late-commands'),
      ...(mirror === undefined ? [] : [['sh', '-c', forgetMirror(mirror, apt)]]),
      report('0'),
    ],
    'error-commands': [...listed('error-commands'), report('1')],
  }
  return {
    inject: {},
    seed: {
      'user-data': `#cloud-config\n${JSON.stringify({ autoinstall }, undefined, 2)}\n`,
      'meta-data': `instance-id: img-${nonce}\n`,
    },
    arguments: [...step.arguments, 'ds=nocloud'],
  }
}

interface UbuntuApt {
  readonly primary?: readonly { readonly uri?: string }[]
}

/** The installer writes the mirror it used into the image. */
const forgetMirror = ({ packages }: InstallerMirror, apt: UbuntuApt | undefined): string => {
  const published =
    apt?.primary?.find(({ uri }) => uri !== undefined)?.uri ?? 'http://archive.ubuntu.com/ubuntu'
  return renameMirrors(rename(packages.replace(/\/+$/, ''), published.replace(/\/+$/, '')))
}

const aptMirror = ({ packages }: InstallerMirror): object => ({
  primary: [{ arches: ['default'], uri: packages }],
})
