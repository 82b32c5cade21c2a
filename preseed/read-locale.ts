// Language, keyboard, time zone and clock.

import type { Sheet } from './sheet.ts'

export interface LocaleSettings {
  /** `en_US.UTF-8`; `C.UTF-8` needs no package. */
  readonly locale: string
  /** Generated beside it, sorted. */
  readonly otherLocales: readonly string[]
  readonly timezone: string
  /** Whether the hardware clock runs in UTC. */
  readonly utc: boolean
  readonly keyboard: KeyboardSettings
}

/** As in keyboard(5). */
export interface KeyboardSettings {
  readonly layout: string
  readonly variant: string
  readonly model: string
  readonly options: string
}

export function readLocale(sheet: Sheet): LocaleSettings {
  return {
    ...readLocales(sheet),
    timezone: readTimezone(sheet),
    utc: sheet.flag('clock-setup/utc', true),
    keyboard: readKeyboard(sheet),
  }
}

function readLocales(sheet: Sheet): Pick<LocaleSettings, 'locale' | 'otherLocales'> {
  const others = new Set<string>()
  const supported = sheet.answer('localechooser/supported-locales')
  for (const name of (supported?.value ?? '').split(/[\s,]+/).filter(Boolean)) {
    if (localePattern.test(name)) others.add(canonical(name))
    else sheet.error(supported, `"${name}" is no UTF-8 locale`, 'write it like nb_NO.UTF-8')
  }
  const locale = chosenLocale(sheet)
  others.delete(locale)
  return { locale, otherLocales: [...others].toSorted() }
}

function chosenLocale(sheet: Sheet): string {
  const answer = sheet.answer('debian-installer/locale')
  const language = sheet.answer('debian-installer/language')
  const country = sheet.answer('debian-installer/country')
  if (answer !== undefined && answer.value !== '') {
    if (localePattern.test(answer.value)) return canonical(answer.value)
    sheet.error(answer, `"${answer.value}" is no UTF-8 locale`, 'write it like en_US.UTF-8')
    return 'C.UTF-8'
  }
  if (language === undefined && country === undefined) return 'C.UTF-8'
  const composed = `${language?.value.split(':')[0] ?? ''}_${country?.value ?? ''}`
  if (/^[a-z]{2,3}_[A-Z]{2}$/.test(composed)) return `${composed}.UTF-8`
  sheet.error(
    language ?? country,
    'language and country do not name a locale',
    'set debian-installer/locale, for example to en_US.UTF-8',
  )
  return 'C.UTF-8'
}

/** Only UTF-8; `@latin` names a script, as in sr_RS@latin. */
const localePattern = /^(?:C|[a-z]{2,3}_[A-Z]{2})(?:\.(?:UTF-8|utf8))?(?:@[a-z]+)?$/

/** As localechooser does: a locale without charset means the UTF-8 one. glibc's names with @ go without. */
function canonical(name: string): string {
  const [base = '', modifier] = name.split('@')
  const language = base.replace(/\..*$/, '')
  return modifier === undefined ? `${language}.UTF-8` : `${language}@${modifier}`
}

function readTimezone(sheet: Sheet): string {
  const answer = sheet.answer('time/zone')
  const zone = answer?.value || 'Etc/UTC'
  if (/^[A-Za-z0-9_+-]+(?:\/[A-Za-z0-9_+-]+)*$/.test(zone)) return zone === 'UTC' ? 'Etc/UTC' : zone
  sheet.error(answer, `"${zone}" is no time zone`, 'write a path below /usr/share/zoneinfo, like Europe/Oslo')
  return 'Etc/UTC'
}

function readKeyboard(sheet: Sheet): KeyboardSettings {
  const keymap = sheet.answer('keyboard-configuration/xkb-keymap')
  const text = (code: string): string | undefined => sheet.text(`keyboard-configuration/${code}`)
  // `layout` and `variant` are the questions' long names; only the codes can go into a file.
  for (const name of ['layout', 'variant', 'model', 'switch', 'toggle', 'altgr', 'compose']) {
    const answer = sheet.answer(`keyboard-configuration/${name}`)
    if (answer === undefined || /^(?:No .*|The default.*|)$/.test(answer.value)) continue
    sheet.error(
      answer,
      `${answer.question} holds a name in English, not a code`,
      'use keyboard-configuration/xkb-keymap, layoutcode, variantcode, modelcode or optionscode',
    )
  }
  const [layout = 'us', variant = ''] = (keymap?.value || 'us').split(/[()]/)
  const keyboard = {
    layout: text('layoutcode') ?? layout,
    variant: text('variantcode') ?? variant,
    model: text('modelcode') ?? 'pc105',
    options: text('optionscode') ?? '',
  }
  if (Object.values(keyboard).every((value) => /^[a-zA-Z0-9_,:+-]*$/.test(value))) return keyboard
  sheet.error(
    keymap,
    'the keyboard settings hold characters no keyboard code has',
    'write codes like us or no',
  )
  return { layout: 'us', variant: '', model: 'pc105', options: '' }
}
