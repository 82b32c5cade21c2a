// One text for one value, on every machine: RFC 8785 (keys by UTF-16 code unit, ECMAScript numbers), strict about the
// rest. What JSON.stringify would drop or turn into null is refused, since two different values would get one key.

import { ImgError } from '../errors.ts'

export function canonicalJson(value: unknown): string {
  return write(value, [])
}

/** Keys and indexes from the whole value to the one being written: one array for all, since a plan writes millions. */
type Trail = (string | number)[]

function write(value: unknown, trail: Trail): string {
  if (typeof value === 'string') return writeString(value, trail)
  if (value === null || value === true || value === false) return String(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw refused(String(value), trail)
    return JSON.stringify(value)
  }
  if (typeof value !== 'object') throw refused(value === undefined ? 'undefined' : `a ${typeof value}`, trail)
  if (trail.length === maxDepth) throw refused(`something nested deeper than ${maxDepth} levels`, trail)
  return Array.isArray(value) ? writeArray(value, trail) : writeObject(value, trail)
}

function writeArray(array: readonly unknown[], trail: Trail): string {
  let text = '['
  for (let index = 0; index < array.length; index++) {
    trail.push(index)
    text += (index === 0 ? '' : ',') + write(array[index], trail)
    trail.pop()
  }
  return `${text}]`
}

function writeObject(object: object, trail: Trail): string {
  const prototype: unknown = Object.getPrototypeOf(object)
  // An imgfile may run in a realm of its own, so plain objects are told by having no class between them and null.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw refused(`an object of class ${object.constructor.name}`, trail)
  }
  let text = '{'
  // The default order of sort() is by code unit and asks no locale.
  for (const key of Object.keys(object).toSorted()) {
    const name = writeString(key, trail)
    trail.push(key)
    const value = write((object as Readonly<Record<string, unknown>>)[key], trail)
    text += `${text === '{' ? '' : ','}${name}:${value}`
    trail.pop()
  }
  return `${text}}`
}

function writeString(text: string, trail: Trail): string {
  if (plain.test(text)) return `"${text}"`
  if (/\p{Surrogate}/u.test(text))
    throw refused('text that is not valid Unicode (half a surrogate pair)', trail)
  return JSON.stringify(text)
}

/** Nothing to escape: nearly every text there is, and five times faster than asking JSON.stringify. */
const plain = /^[ !#-[\]-~]*$/

function refused(what: string, trail: Trail): ImgError {
  const where = trail.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('')
  const message = `${where.replace(/^\./, '') || 'the value'} is ${what}, which cannot be in a key`
  return new ImgError('OPTION_INVALID', message, {
    hint: 'steps hold text, finite numbers, true, false, null, arrays and plain objects; leave out what is not set',
    found: what,
  })
}

/** A value that contains itself must end in a message, not in a stack overflow. */
const maxDepth = 500
