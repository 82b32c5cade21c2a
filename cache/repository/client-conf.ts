// Pure: the file a client of a repository has in `virt-builder/repos.d`.

import { ImgError } from '../../tasks/errors.ts'

export interface ClientConf {
  /** What the client calls the source. */
  readonly name: string
  /** Of `index.asc`. */
  readonly uri: string
  /** Absolute path of the public key on the client. */
  readonly keyFile: string
}

/** Always with the key: a source without `gpgkey` is taken unsigned, and virt-builder says nothing. */
export function renderClientConf({ name, uri, keyFile }: ClientConf): string {
  check('the name of a source', name, /^[-A-Za-z0-9._]+$/)
  check('the address of an index', uri, /^(?:https?|ftp|file):\/\/[^\s#]+$/)
  // virt-builder takes what follows the scheme as it stands, percent signs included.
  check('the place of a key', keyFile, /^\/[^\s#?%]+$/)
  return `[${name}]\nuri=${uri}\ngpgkey=file://${keyFile}\nproxy=system\n`
}

function check(what: string, text: string, pattern: RegExp): void {
  if (pattern.test(text)) return
  throw new ImgError('USAGE', `${JSON.stringify(text)} cannot be ${what} in a virt-builder configuration`, {
    hint: 'choose one without white space and without # ? %',
    found: text,
  })
}
