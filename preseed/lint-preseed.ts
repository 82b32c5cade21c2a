// A preseed as the real installer will read it. Unlike read-preseed.ts, which builds from it without an installer, every
// question of the installer is understood here; only what stops it, leaks, or means nothing is found. Pure.

import { suggest } from '../tasks/plan/suggest.ts'
import type { Finding } from './finding.ts'
import { confirmations, installerOnly, unsupported } from './installer-questions.ts'
import { type Answer, parsePreseed } from './parse-preseed.ts'
import { readAccounts } from './read-accounts.ts'
import { readPreseed } from './read-preseed.ts'
import { makeSheet } from './sheet.ts'

export function findPreseed(content: string): {
  readonly text: string
  readonly findings: readonly Finding[]
} {
  const { answers, findings } = parsePreseed(content)
  const sheet = makeSheet(answers)
  readAccounts(sheet)
  const own = answers.filter(({ owner, type }) => owner === 'd-i' && type !== 'seen')
  return {
    text: answers.map(renderAnswer).join(''),
    findings: [
      ...findings,
      ...sheet.findings(),
      ...findUnknown(own, content),
      ...own.flatMap(findClearText),
      ...own.flatMap(findElsewhere),
      ...findUnanswered(own),
    ],
  }
}

const renderAnswer = ({ owner, question, type, value }: Answer): string =>
  `${`${owner} ${question} ${type} ${value}`.trimEnd()}\n`

function findUnknown(answers: readonly Answer[], content: string): readonly Finding[] {
  const known = [...readPreseed(content).honoured, ...confirmations, ...installerOnly, ...unsupported]
  const names = new Set(known)
  return answers.flatMap((answer): Finding[] => {
    const { question, line } = answer
    if (names.has(question) || aliases.has(question)) return []
    const meant = suggest(question, known)
    return [
      {
        severity: 'error',
        line,
        message: `the installer has no question "${question}"`,
        hint:
          meant === undefined
            ? 'remove the line or name the package that asks instead of d-i'
            : `did you mean ${meant}?`,
      },
    ]
  })
}

/** Questions of older installers (Ubuntu to 20.04, Debian to 10) whose answer later ones do not look at. */
const aliases: ReadonlySet<string> = new Set([
  'apt-setup/backports',
  'apt-setup/multiverse',
  'apt-setup/partner',
  'apt-setup/restricted',
  'apt-setup/universe',
  'clock-setup/utc-auto',
  'console-setup/ask_detect',
  'console-setup/layoutcode',
  'keyboard-configuration/layoutcode',
  'keyboard-configuration/modelcode',
  'keyboard-configuration/variantcode',
  'pkgsel/language-packs',
  'pkgsel/install-language-support',
  'user-setup/allow-password-weak',
  'user-setup/encrypt-home',
])

/** Accounts' passwords are found by the reader of accounts. */
function findClearText({ question, value, line }: Answer): readonly Finding[] {
  if (value === '' || !secrets.has(question)) return []
  const hint =
    question === 'grub-installer/password'
      ? 'use grub-installer/password-crypted with the output of: grub-mkpasswd-pbkdf2'
      : 'remove the line: whoever has the answer file has it'
  return [{ severity: 'error', line, message: `${question} is a password in clear text`, hint }]
}

const secrets: ReadonlySet<string> = new Set([
  'grub-installer/password',
  'network-console/password',
  'netcfg/wireless_wpa',
  'partman-crypto/passphrase',
  'partman-iscsi/login/password',
  'partman-iscsi/login/incoming_password',
])

function findElsewhere({ question, value, line }: Answer): readonly Finding[] {
  if (value === '' || !elsewhere.has(question)) return []
  return [
    {
      severity: 'error',
      line,
      message: `${question} takes answers from elsewhere, which would not be part of the layer's key`,
      hint: 'put the answers into this file',
    },
  ]
}

const elsewhere: ReadonlySet<string> = new Set(
  ['include', 'include_command', 'run', 'url', 'file', 'boot_command'].map((name) => `preseed/${name}`),
)

/** The installer asks these whatever the priority. */
function findUnanswered(answers: readonly Answer[]): readonly Finding[] {
  const given = new Set(answers.map(({ question }) => question))
  return always
    .filter(({ question }) => !given.has(question))
    .map(({ question, line }) => ({
      severity: 'error' as const,
      line: 0,
      message: `${question} has no answer, and the installer would stop to ask`,
      hint: `add: ${line}`,
    }))
}

const always = [
  { question: 'partman/confirm', line: 'd-i partman/confirm boolean true' },
  { question: 'partman/confirm_nooverwrite', line: 'd-i partman/confirm_nooverwrite boolean true' },
  { question: 'partman/choose_partition', line: 'd-i partman/choose_partition select finish' },
]
