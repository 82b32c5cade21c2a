// root and the first user. Passwords come as crypt(3) hashes or locked, never in clear text.

import type { Answer } from './parse-preseed.ts'
import type { Sheet } from './sheet.ts'

export interface AccountSettings {
  /** The hash or lock to set, undefined when root has none and cannot log in. */
  readonly rootPassword: string | undefined
  readonly user: UserSettings | undefined
}

export interface UserSettings {
  readonly name: string
  readonly fullName: string
  readonly password: string
  readonly uid: number | undefined
  /** Those that exist in the image are joined, as in the installer. */
  readonly groups: readonly string[]
  /** Without a root login the first user may use sudo. */
  readonly sudo: boolean
}

export function readAccounts(sheet: Sheet): AccountSettings {
  const clear = refuseClearText(sheet)
  const rootLogin = sheet.flag('passwd/root-login', true)
  const root = readPassword(sheet, 'passwd/root-password-crypted')
  if (rootLogin && root === undefined && !clear.has('passwd/root-password')) {
    sheet.error(
      sheet.answer('passwd/root-login'),
      'root may log in but has no password',
      'set passwd/root-password-crypted to a hash or to !, or passwd/root-login to false',
    )
  }
  return { rootPassword: rootLogin ? root : undefined, user: readUser(sheet, { rootLogin, clear }) }
}

function readUser(
  sheet: Sheet,
  { rootLogin, clear }: { rootLogin: boolean; clear: ReadonlySet<string> },
): UserSettings | undefined {
  const wanted = sheet.flag('passwd/make-user', true)
  const name = sheet.answer('passwd/username')
  const fullName = sheet.answer('passwd/user-fullname')
  const password = readPassword(sheet, 'passwd/user-password-crypted')
  const uid = sheet.answer('passwd/user-uid')
  const groups = sheet.answer('passwd/user-default-groups')
  if (!wanted) return undefined
  if (name === undefined || name.value === '') {
    sheet.error(
      sheet.answer('passwd/make-user'),
      'a user is to be made but has no name',
      'set passwd/username, or passwd/make-user to false',
    )
    return undefined
  }
  if (!/^[a-z][-a-z0-9_]{0,31}$/.test(name.value)) {
    sheet.error(name, `"${name.value}" is no user name`, 'use a-z, 0-9, - and _, beginning with a letter')
  } else if (reserved.has(name.value)) {
    sheet.error(name, `the user name "${name.value}" is reserved by the system`, 'choose another name')
  }
  if (password === undefined && !clear.has('passwd/user-password')) {
    sheet.error(
      name,
      `the user ${name.value} has no password`,
      'set passwd/user-password-crypted to a hash or to !',
    )
  }
  if (fullName !== undefined && /[:,]/.test(fullName.value)) {
    sheet.error(fullName, 'the full name holds a colon or comma, which /etc/passwd cannot', 'remove it')
  }
  return {
    name: name.value,
    fullName: fullName?.value ?? '',
    password: password ?? '!',
    uid: readUid(sheet, uid),
    groups: readGroups(sheet, groups),
    sudo: !rootLogin,
  }
}

function readUid(sheet: Sheet, answer: Answer | undefined): number | undefined {
  if (answer === undefined || answer.value === '') return undefined
  const uid = Number(answer.value)
  if (/^\d+$/.test(answer.value) && uid >= 100 && uid < 2 ** 32 - 1 && uid !== 65534 && uid !== 65535) {
    return uid
  }
  sheet.error(answer, `"${answer.value}" is no user id`, 'choose a number from 1000 to 59999')
  return undefined
}

function readGroups(sheet: Sheet, answer: Answer | undefined): readonly string[] {
  const value =
    answer?.value ?? 'audio cdrom dip floppy video plugdev netdev scanner bluetooth debian-tor lpadmin'
  const groups = value.split(/\s+/).filter(Boolean)
  const wrong = groups.find((group) => !/^[a-z_][-a-z0-9_]*$/.test(group))
  if (wrong !== undefined) {
    sheet.error(answer, `"${wrong}" is no group name`, 'separate group names by spaces')
  }
  return groups
}

const clearText = ['root-password', 'root-password-again', 'user-password', 'user-password-again'] as const

/** The questions answered in clear text. */
function refuseClearText(sheet: Sheet): ReadonlySet<string> {
  const found = new Set<string>()
  for (const name of clearText) {
    const answer = sheet.answer(`passwd/${name}`)
    if (answer === undefined || answer.value === '' || name.endsWith('-again')) continue
    found.add(answer.question)
    sheet.error(
      answer,
      `${answer.question} is a password in clear text`,
      `use passwd/${name}-crypted with the output of: mkpasswd -m yescrypt`,
    )
  }
  return found
}

/** crypt(5) methods Debian's login accepts, locks (`!`, `*`) and a locked hash. */
export const hashPattern: RegExp = /^(?:[!*]+|!?\$(?:y|gy|7|2[abxy]|6|5|1)\$[./A-Za-z0-9$,=+-]+)$/

function readPassword(sheet: Sheet, question: string): string | undefined {
  const answer = sheet.answer(question)
  if (answer === undefined || answer.value === '') return undefined
  if (!hashPattern.test(answer.value)) {
    sheet.error(
      answer,
      `the value of ${question} is no crypt(3) hash`,
      'write ! to lock the account, or the output of: mkpasswd -m yescrypt',
    )
  } else if (/^!?\$1\$/.test(answer.value)) {
    sheet.warn(
      answer,
      `the value of ${question} is an MD5 hash, which is guessed quickly`,
      'make a new one with: mkpasswd -m yescrypt',
    )
  }
  return answer.value
}

/** user-setup's reserved-usernames. */
const reserved: ReadonlySet<string> = new Set(
  `root daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc gnats nobody adm tty disk
  kmem dialout fax voice cdrom floppy tape sudo audio dip operator src shadow utmp video sasl plugdev staff users
  nogroup netplan ftn mysql tac-plus alias qmail qmaild qmails qmailr qmailq qmaill qmailp asterisk vpopmail vchkpw
  slurm hacluster haclient grsec-tpe grsec-sock-all grsec-sock-clt grsec-sock-srv grsec-proc ceph opensrf
  libvirt-qemu admin Debian-exim bind crontab cupsys dcc dhcp dictd dnsmasq dovecot fetchmail firebird ftp fuse gdm
  haldaemon hplilp identd input jwhois klog kvm lpadmin messagebus mythtv netdev powerdev radvd render saned sbuild
  scanner slocate ssh sshd ssl-cert sslwrap statd syslog telnetd tftpd`.split(/\s+/),
)
