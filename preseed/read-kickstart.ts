// A kickstart as Anaconda will read it: sections, commands, and what would stop or leak. Pure.

import { suggest } from '../tasks/plan/suggest.ts'
import type { Finding } from './finding.ts'

/** `text` has no comments outside of sections, where a `#` may be anything's. */
export function findKickstart(content: string): {
  readonly text: string
  readonly findings: readonly Finding[]
} {
  const findings: Finding[] = []
  const { commands, sections } = divide(content, findings)
  for (const command of commands) findings.push(...findCommand(command))
  findings.push(...findRepeated(commands), ...findMissing(commands, sections))
  const parts = [
    ...commands.map(({ text }) => text),
    ...sections.flatMap(({ head, body }) => ['', head, ...body, '%end']),
  ]
  return { text: `${parts.join('\n')}\n`, findings }
}

interface Command {
  readonly line: number
  readonly text: string
  readonly name: string
}

interface Section {
  readonly head: string
  readonly body: readonly string[]
}

function divide(
  content: string,
  findings: Finding[],
): { readonly commands: readonly Command[]; readonly sections: readonly Section[] } {
  const commands: Command[] = []
  const sections: Section[] = []
  let open: { line: number; head: string; body: string[] } | undefined
  const unended = (): void => {
    if (open === undefined) return
    findings.push({
      severity: 'error',
      line: open.line,
      message: `the section ${open.head.split(/\s/)[0]} has no %end`,
      hint: 'add a line %end behind its last line',
    })
  }
  for (const [index, raw] of content.split('\n').entries()) {
    const line = index + 1
    const text = raw.replace(/\r$/, '').replace(/^\uFEFF/, '')
    if (open !== undefined && !/^%(?:end|[a-z]+)\b/.test(text)) {
      open.body.push(text)
      continue
    }
    if (/^%end\b/.test(text)) {
      if (open === undefined) {
        findings.push({ severity: 'error', line, message: '%end ends no section', hint: 'remove the line' })
      } else sections.push({ head: open.head, body: trimmed(open) })
      open = undefined
      continue
    }
    const head = /^%([a-z]+)/.exec(text)?.[1]
    if (head !== undefined) {
      findings.push(...findDirective(head, line))
      if (inclusions.has(head)) continue
      unended()
      open = { line, head: text.trimEnd(), body: [] }
      continue
    }
    const command = text.trim()
    if (command === '' || command.startsWith('#')) continue
    commands.push({ line, text: command, name: /^\S+/.exec(command)?.[0] ?? '' })
  }
  unended()
  return { commands, sections }
}

/** In a list of packages comments and blank lines decide nothing. */
function trimmed({ head, body }: { readonly head: string; readonly body: readonly string[] }): string[] {
  if (!head.startsWith('%packages')) return [...body]
  return body.map((line) => line.replace(/\s*#.*$/, '').trim()).filter((line) => line !== '')
}

function findDirective(name: string, line: number): readonly Finding[] {
  if (inclusions.has(name)) {
    return [
      {
        severity: 'error',
        line,
        message: `%${name} takes answers from elsewhere, which would not be part of the layer's key`,
        hint: 'put the answers into this file',
      },
    ]
  }
  if (sectionNames.has(name)) return []
  const meant = suggest(name, sectionNames)
  return [
    {
      severity: 'error',
      line,
      message: `there is no section %${name}`,
      hint: meant === undefined ? `write one of ${[...sectionNames].join(', ')}` : `did you mean %${meant}?`,
    },
  ]
}

function findCommand({ name, text, line }: Command): readonly Finding[] {
  const error = (message: string, hint: string): readonly Finding[] => [
    { severity: 'error', line, message, hint },
  ]
  if (!commandNames.has(name)) {
    const meant = suggest(name, commandNames)
    return error(
      `the installer has no command "${name}"`,
      meant === undefined ? 'remove the line, or put it into %post' : `did you mean ${meant}?`,
    )
  }
  const words = text.split(/\s+/).slice(1)
  const has = (...flags: readonly string[]): boolean =>
    flags.some((flag) => words.some((word) => word === flag || word.startsWith(`${flag}=`)))
  if (name === 'rootpw' && !has('--iscrypted', '--lock')) {
    return error(
      'rootpw is a password in clear text',
      'write rootpw --lock, or rootpw --iscrypted with the output of: mkpasswd -m sha512crypt',
    )
  }
  if ((name === 'user' || name === 'sshpw') && has('--password', '--username') && !has('--iscrypted')) {
    return has('--password') || name === 'sshpw'
      ? error(
          `${name} has a password in clear text`,
          'write --iscrypted with the output of: mkpasswd -m sha512crypt, or --lock',
        )
      : []
  }
  if (name === 'bootloader' && has('--password') && !has('--iscrypted')) {
    return error(
      'bootloader has a password in clear text',
      'write --iscrypted with the output of: grub2-mkpasswd-pbkdf2',
    )
  }
  if (has('--passphrase')) {
    return error(`${name} has a passphrase in clear text`, 'encrypt the disk where the image is deployed')
  }
  return endings.has(name) && name !== 'poweroff'
    ? error(`${name} is not how a build ends: it waits for the machine to power off`, 'write poweroff')
    : []
}

/** The installer takes the last one of these without a word. */
function findRepeated(commands: readonly Command[]): readonly Finding[] {
  const before = new Map<string, Command>()
  return commands.flatMap((command): Finding[] => {
    const earlier = before.get(command.name)
    before.set(command.name, command)
    if (earlier === undefined || repeatable.has(command.name) || earlier.text === command.text) return []
    return [
      {
        severity: 'warning',
        line: command.line,
        message: `${command.name} was given in line ${earlier.line} already; this line replaces it`,
        hint: `remove line ${earlier.line} or this one`,
      },
    ]
  })
}

/** Without one of these Anaconda stops and asks, or waits at its end for somebody to press Enter. */
function findMissing(commands: readonly Command[], sections: readonly Section[]): readonly Finding[] {
  const given = new Set(commands.map(({ name }) => name))
  const missing: { readonly message: string; readonly hint: string }[] = []
  const wants = (names: readonly string[], hint: string): void => {
    if (names.some((name) => given.has(name))) return
    missing.push({ message: `${names[0]} is missing, and the installer would stop to ask`, hint })
  }
  wants(['lang'], 'add: lang en_US.UTF-8')
  wants(['keyboard'], 'add: keyboard us')
  wants(['timezone'], 'add: timezone Etc/UTC --utc')
  wants(['rootpw', 'user'], 'add: rootpw --lock')
  wants(['autopart', 'part', 'partition', 'logvol'], 'add: autopart --type=plain')
  if (!sections.some(({ head }) => head.startsWith('%packages'))) {
    missing.push({
      message: '%packages is missing, and the installer would stop to ask',
      hint: 'add: %packages … %end',
    })
  }
  if (![...endings].some((name) => given.has(name))) {
    missing.push({
      message: 'poweroff is missing, and the installer would wait at its end',
      hint: 'add: poweroff',
    })
  }
  return missing.map((one) => ({ severity: 'error', line: 0, ...one }))
}

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/))

const inclusions = words('include ksappend')
const sectionNames = words('packages pre pre-install post onerror traceback addon anaconda')
const endings = words('poweroff reboot halt shutdown')
const repeatable = words(
  `device driverdisk fcoe group iscsi logvol module network part partition raid repo sshkey sshpw user volgroup
  btrfs zfcp nvdimm snapshot dmraid timesource`,
)

/** From Fedora 41's and RHEL 9's installers. */
const commandNames = words(`
  authconfig authselect autopart autostep bootc bootloader btrfs cdrom clearpart cmdline device deviceprobe dmraid
  driverdisk eula fcoe firewall firstboot graphical group halt harddrive hmc ignoredisk install iscsi iscsiname
  keyboard lang liveimg logging logvol mediacheck method module mount multipath network nfs nvdimm ostreecontainer
  ostreesetup part partition poweroff raid rdp realm reboot repo reqpart rescue rhsm rootpw selinux services shutdown
  skipx snapshot sshkey sshpw syspurpose text timesource timezone unsupported_hardware updates upgrade url user vnc
  volgroup xconfig zerombr zfcp zipl
`)
