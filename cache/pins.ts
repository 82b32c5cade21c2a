// Records that no collection removes, until they are unpinned.

import { listEntries } from './content.ts'
import { readValue, removeValue, writeValue } from './values.ts'

export interface Pin {
  readonly key: string
  readonly layer: string
  /** Milliseconds since 1970. */
  readonly since: number
}

export async function listPins(dir: string): Promise<readonly Pin[]> {
  const pins: Pin[] = []
  for await (const { key } of listEntries(dir)) {
    if (!key.startsWith('value:pin:')) continue
    const value = readValue(dir, key.slice('value:'.length))
    if (value !== undefined) pins.push(JSON.parse(value.toString()) as Pin)
  }
  return pins.toSorted((one, other) => one.since - other.since)
}

export async function addPin(dir: string, pin: Pin): Promise<void> {
  await writeValue(dir, `pin:${pin.key}`, JSON.stringify(pin))
}

/** Whether there was one. */
export async function removePin(dir: string, key: string): Promise<boolean> {
  return removeValue(dir, `pin:${key}`)
}
