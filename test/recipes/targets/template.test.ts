import { expect, test } from 'vitest'
import { template } from '../../../recipes/targets/template.ts'
import { targetTools } from '../../../recipes/targets/tools.ts'
import { stepsOf } from '../steps-of.ts'
import { parentLayer } from './parent-layer.ts'

test('a template says of itself what it was told, and is named by what it is made from', () => {
  const made = template(parentLayer('role:web'))
  expect(made.name).toBe('template:web')
  expect(made.recipes[0]).toMatchObject({ name: 'template', tools: targetTools, weight: { memory: 1400 } })
  expect(stepsOf(made.recipes[0]!)).toMatchObject({
    mode: 'export',
    parent: 'required',
    steps: [
      {
        do: 'template',
        to: 'disk.xz',
        facts: 'template.json',
        title: 'web',
        notes: {},
        aliases: [],
        hidden: false,
      },
    ],
  })
  const told = template(parentLayer('install:trixie-di'), {
    title: 'Debian, installed',
    notes: 'One.\nTwo.',
    aliases: ['debian'],
    hidden: true,
    osinfo: 'debian13',
    expand: '/dev/sda5',
    lvexpand: '/dev/vg/root',
  })
  expect(told.name).toBe('template:install-trixie-di')
  expect(stepsOf(told.recipes[0]!).steps).toEqual([
    {
      do: 'template',
      to: 'disk.xz',
      facts: 'template.json',
      title: 'Debian, installed',
      notes: { '': 'One.\nTwo.' },
      aliases: ['debian'],
      hidden: true,
      osinfo: 'debian13',
      expand: '/dev/sda5',
      lvexpand: '/dev/vg/root',
    },
  ])
})

test.each([
  [
    { notes: 'One.\n\nTwo.' },
    'template: "notes" is "One.\\n\\nTwo.", which has an empty line, or white space at the end of one',
  ],
  [{ notes: { 'no!': 'Ja' } }, 'template: "notes" is {"no!":"Ja"}, where "no!" is not a language'],
  [
    { notes: { no: 'Ja ' } },
    'template: "notes" is {"no":"Ja "}, whose "no" is "Ja ", which has an empty line, or white space at the end of one',
  ],
  [{ notes: 5 }, 'template: "notes" is 5, not text, or texts by language'],
  [{ title: 'two\nlines' }, 'template: "title" is "two\\nlines", not one line of text'],
  [{ aliases: ['a b'] }, 'template: "aliases" is ["a b"], whose item 0 is "a b", not a name of a template'],
  [{ expand: 'sda1' }, 'template: "expand" is "sda1", not a device, such as /dev/sda1'],
  [{ osinfo: 'Debian 13' }, 'template: "osinfo" is "Debian 13", not an id of libosinfo, such as debian13'],
  [{ note: '' }, 'template: unknown option "note"'],
])('%j is refused', (options, message) => {
  expect(() => template(parentLayer('role:web'), options as never)).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', message }),
  )
})
