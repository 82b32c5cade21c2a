// What each installer is told beside its answer file: the same wishes in three languages.

import type { AnswerFile, AnswerKind } from '../preseed/answer-file.ts'
import type { JsonValue } from '../tasks/plan/step.ts'

export interface InstallWishes {
  readonly hostname?: string
  readonly locale?: string
  readonly keyboard?: string
  readonly console?: string
  readonly extraArgs?: readonly string[]
}

/** Arguments of the installer's kernel. */
export function installArguments(kind: AnswerKind, wishes: InstallWishes): readonly string[] {
  const { console = 'ttyS0,115200', extraArgs = [] } = wishes
  // Of several consoles the last one is /dev/console, which the installer talks to.
  return [...makers[kind](wishes), ...extraArgs, `console=${console}`, ...(kind === 'preseed' ? kept : [])]
}

const makers: Readonly<Record<AnswerKind, (wishes: InstallWishes) => readonly string[]>> = {
  // Plain lines of text: the console is read by a program, and kept as the log.
  preseed: ({ hostname, locale, keyboard }) => [
    'auto=true',
    'priority=critical',
    'DEBIAN_FRONTEND=text',
    'DEBCONF_DROP_TRANSLATIONS=1',
    'TERM=dumb',
    'net.ifnames=0',
    ...given('hostname', hostname),
    ...given('locale', locale),
    ...given('keyboard-configuration/xkb-keymap', keyboard),
  ],
  kickstart: ({ hostname, locale, keyboard }) => [
    'inst.text',
    // Dracut's form, with every other field left to DHCP.
    hostname === undefined ? 'ip=dhcp' : `ip=::::${hostname}::dhcp`,
    ...given('inst.lang', locale),
    ...given('inst.keymap', keyboard),
  ],
  autoinstall: () => ['autoinstall'],
}

/**
 * Behind the dashes, for the installed system too. The installer writes the card's name into the image, and a card is
 * named after its slot: eth0 is the one name that holds in the next machine.
 */
const kept = ['---', 'net.ifnames=0']

const given = (name: string, value: string | undefined): readonly string[] =>
  value === undefined ? [] : [`${name}=${value}`]

/** Ubuntu's installer takes these from its answers alone. */
export function withWishes(answers: AnswerFile, wishes: InstallWishes): AnswerFile {
  if (answers.kind !== 'autoinstall' || answers.text === '') return answers
  const { hostname, locale, keyboard } = wishes
  const value = JSON.parse(answers.text) as Readonly<Record<string, JsonValue>>
  const identity = value['identity'] as Readonly<Record<string, JsonValue>> | undefined
  const wished = {
    ...value,
    ...(locale === undefined ? {} : { locale }),
    ...(keyboard === undefined ? {} : { keyboard: { layout: keyboard } }),
    ...(hostname === undefined || identity === undefined ? {} : { identity: { ...identity, hostname } }),
    shutdown: 'poweroff',
  }
  return { kind: 'autoinstall', text: `${JSON.stringify(wished)}\n` }
}
