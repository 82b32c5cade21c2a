// One text for one value, on every machine: RFC 8785 (keys by UTF-16 code unit, ECMAScript numbers), strict about the
// rest. What JSON.stringify would drop or turn into null is refused, since two different values would get one key.

import { ImgError } from '../errors.ts'

export function canonicalJson(value: unknown): string {
  return write(value, { path: '', depth: 0 })
}

interface Where {
  /** `steps[2].argv[1]`, for messages. */
  readonly path: string
  readonly depth: number
}

function write(value: unknown, where: Where): string {
  if (value === null || value === true || value === false) return String(value)
  if (typeof value === 'string') return writeString(value, where)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw refused(String(value), where)
    return JSON.stringify(value)
  }
  if (typeof value !== 'object') throw refused(value === undefined ? 'undefined' : `a ${typeof value}`, where)
  if (where.depth === maxDepth) throw refused(`something nested deeper than ${maxDepth} levels`, where)
  return Array.isArray(value) ? writeArray(value, where) : writeObject(value, where)
}

function writeArray(array: readonly unknown[], where: Where): string {
  const parts: string[] = []
  for (let index = 0; index < array.length; index++) {
    parts.push(write(array[index], { path: `${where.path}[${index}]`, depth: where.depth + 1 }))
  }
  return `[${parts.join(',')}]`
}

function writeObject(object: object, where: Where): string {
  const prototype: unknown = Object.getPrototypeOf(object)
  // An imgfile may run in a realm of its own, so plain objects are told by having no class between them and null.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw refused(`an object of class ${object.constructor.name}`, where)
  }
  // The default order of sort() is by code unit and asks no locale.
  const parts = Object.keys(object)
    .toSorted()
    .map((key) => {
      const path = where.path === '' ? key : `${where.path}.${key}`
      const value: unknown = (object as Readonly<Record<string, unknown>>)[key]
      return `${writeString(key, where)}:${write(value, { path, depth: where.depth + 1 })}`
    })
  return `{${parts.join(',')}}`
}

function writeString(text: string, where: Where): string {
  if (/\p{Surrogate}/u.test(text))
    throw refused('text that is not valid Unicode (half a surrogate pair)', where)
  return JSON.stringify(text)
}

function refused(what: string, where: Where): ImgError {
  return new ImgError('OPTION_INVALID', `${where.path || 'the value'} is ${what}, which cannot be in a key`, {
    hint: 'steps hold text, finite numbers, true, false, null, arrays and plain objects; leave out what is not set',
    found: what,
  })
}

/** A value that contains itself must end in a message, not in a stack overflow. */
const maxDepth = 500
