// Values by key, as a store remembers them.

import type { Store } from '../../cache/store.ts'

export type Memory = Pick<Store, 'readValue' | 'writeValue'> & { readonly values: Map<string, Buffer> }

export function makeMemory(): Memory {
  const values = new Map<string, Buffer>()
  return {
    values,
    readValue: (key) => Promise.resolve(values.get(key)),
    writeValue: (key, value) => {
      values.set(key, Buffer.from(value))
      return Promise.resolve()
    },
  }
}
