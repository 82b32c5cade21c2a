import { expect, test } from 'vitest'
import { readPreseed } from '../../preseed/read-preseed.ts'

const others = 'd-i passwd/root-login boolean false\nd-i passwd/make-user boolean false\n'

const table: readonly [answers: string, said: readonly string[]][] = [
  [
    'd-i debian-installer/locale string en_US.ISO-8859-1',
    ['error 3: "en_US.ISO-8859-1" is no UTF-8 locale -> write it like en_US.UTF-8'],
  ],
  [
    'd-i debian-installer/locale string english',
    ['error 3: "english" is no UTF-8 locale -> write it like en_US.UTF-8'],
  ],
  [
    'd-i localechooser/supported-locales multiselect nb_NO.UTF-8, klingon',
    ['error 3: "klingon" is no UTF-8 locale -> write it like nb_NO.UTF-8'],
  ],
  [
    'd-i debian-installer/language string en',
    [
      'error 3: language and country do not name a locale -> set debian-installer/locale, for example to en_US.UTF-8',
    ],
  ],
  [
    'd-i time/zone string ../../etc/passwd',
    [
      'error 3: "../../etc/passwd" is no time zone -> write a path below /usr/share/zoneinfo, like Europe/Oslo',
    ],
  ],
  [
    'd-i keyboard-configuration/layout select Norwegian',
    [
      'error 3: keyboard-configuration/layout holds a name in English, not a code -> use keyboard-configuration/xkb-keymap, layoutcode, variantcode, modelcode or optionscode',
    ],
  ],
  [
    'd-i keyboard-configuration/xkb-keymap select no;rm',
    ['error 3: the keyboard settings hold characters no keyboard code has -> write codes like us or no'],
  ],
]

test.each(table)('what is said of %j', (answers, said) => {
  const found = readPreseed(`${others}${answers}\n`).findings
  expect(found.map((one) => `${one.severity} ${one.line}: ${one.message} -> ${one.hint}`)).toEqual(said)
})

const read = (answers: string): unknown => readPreseed(`${others}${answers}\n`).settings.locale

test('names become those of the C library', () => {
  const answers = `d-i debian-installer/locale string nb_NO
d-i localechooser/supported-locales multiselect en_US.UTF-8, sr_RS.UTF-8@latin, nb_NO.UTF-8
d-i keyboard-configuration/xkb-keymap select ch(fr)
d-i time/zone string Europe/Oslo
d-i clock-setup/utc boolean false`
  expect(read(answers)).toEqual({
    locale: 'nb_NO.UTF-8',
    otherLocales: ['en_US.UTF-8', 'sr_RS@latin'],
    timezone: 'Europe/Oslo',
    utc: false,
    keyboard: { layout: 'ch', variant: 'fr', model: 'pc105', options: '' },
  })
})

test('language and country name a locale', () => {
  const answers = 'd-i debian-installer/language string en\nd-i debian-installer/country string NL'
  expect(read(answers)).toMatchObject({ locale: 'en_NL.UTF-8' })
})
