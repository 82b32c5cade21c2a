import { array, assert, integer, property } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Redactor, redactText, type Forms } from '../../../tasks/run/redact.ts'
import { secretForms } from '../../../tasks/run/secret-forms.ts'

const make = (name: string, value: string): Forms => ({ name, forms: secretForms(Buffer.from(value)) })
const secrets = [make('short', 'hunter22'), make('long', 'hunter22-and-more')]

describe('redactText', () => {
  it('names the secret instead, the longer one where both match', () => {
    expect(redactText('a hunter22 b hunter22-and-more c', secrets)).toBe('a [secret:short] b [secret:long] c')
    expect(redactText(Buffer.from('hunter22').toString('base64'), secrets)).toBe('[secret:short]')
  })

  it('leaves other text alone', () => {
    expect(redactText('grüße, hunter2', secrets)).toBe('grüße, hunter2')
  })
})

describe('Redactor', () => {
  it('finds a secret wherever the stream is cut', () => {
    const text = 'begin ü hunter22-and-more, hunter22; aHVudGVyMjI= end hunter2'
    const whole = redactText(text, secrets)
    assert(
      property(array(integer({ min: 0, max: text.length })), (cuts) => {
        const places = [0, ...cuts.toSorted((one, other) => one - other), text.length]
        const redactor = new Redactor(() => secrets)
        const pieces = places.slice(1).map((end, index) => redactor.push(text.slice(places[index], end)))
        const shown = pieces.join('') + redactor.end()
        expect(shown).toBe(whole)
      }),
    )
  })

  it('shows at once what cannot be the beginning of one', () => {
    const redactor = new Redactor(() => secrets)
    expect(redactor.push('done, hun')).toBe('done, ')
    expect(redactor.push('gry')).toBe('hungry')
    expect(redactor.end()).toBe('')
  })
})
