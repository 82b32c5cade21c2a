import { describe, expect, it } from 'vitest'
import { secretForms } from '../../../tasks/run/secret-forms.ts'

const value = 'p<w>&"d\'/ü+%\\$4'
const forms = secretForms(Buffer.from(value)).map((form) => form.toString())

describe('secretForms', () => {
  it.each([
    ['the value itself', value],
    ['hex', Buffer.from(value).toString('hex')],
    ['hex in capitals', Buffer.from(value).toString('hex').toUpperCase()],
    ['a URL', encodeURIComponent(value)],
    ['a form', new URLSearchParams({ a: value }).toString().slice(2)],
    ['JSON', JSON.stringify(value).slice(1, -1)],
    ['JSON of others', JSON.stringify(value).slice(1, -1).replaceAll('/', '\\/')],
    ['JSON in ASCII', `p<w>&\\"d'/\\u00fc+%\\\\$4`],
    ['XML', `p&lt;w&gt;&amp;"d'/ü+%\\$4`],
    ['an attribute', `p&lt;w&gt;&amp;&quot;d&#39;/ü+%\\$4`],
    ['the shell', `p<w>&"d'\\''/ü+%\\$4`],
    ['base64', Buffer.from(value).toString('base64')],
  ])('knows %s', (_, form) => {
    expect(forms.some((known) => form.includes(known))).toBe(true)
    expect(forms).toContain(form)
  })

  it.each([0, 1, 2, 3, 4, 5])('finds base64 of a longer text, %i bytes in', (before) => {
    const text = Buffer.from(`${'x'.repeat(before)}${value}${'y'.repeat(before)}`)
    for (const encoding of ['base64', 'base64url'] as const) {
      const encoded = text.toString(encoding)
      expect(forms.some((form) => encoded.includes(form))).toBe(true)
    }
  })

  it('takes a key apart into its lines, but not into what every key begins with', () => {
    const line = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC'
    const key = secretForms(
      Buffer.from(`-----BEGIN PRIVATE KEY-----\n${line}\nshort\n-----END PRIVATE KEY-----\n`),
    )
    expect(key.map(String)).toContain(line)
    expect(key.map(String)).not.toContain('-----BEGIN PRIVATE KEY-----')
    expect(key.map(String)).not.toContain('short')
  })

  it.each([
    ['base64', 76],
    ['PEM', 64],
  ])('knows the lines of %s', (_, width) => {
    const long = Buffer.from(value.repeat(8))
    const lines = long.toString('base64').match(new RegExp(`.{1,${width}}`, 'g')) ?? []
    const known = secretForms(long).map(String)
    expect(lines.length).toBeGreaterThan(2)
    for (const line of lines.filter(({ length }) => length >= 16)) expect(known).toContain(line)
  })

  it('begins with the longest, has no form twice and none that is too short', () => {
    const lengths = secretForms(Buffer.from('abcdef')).map(({ length }) => length)
    expect(lengths).toEqual(lengths.toSorted((one, other) => other - one))
    expect(new Set(forms).size).toBe(forms.length)
    expect(Math.min(...lengths)).toBe(6)
  })
})
