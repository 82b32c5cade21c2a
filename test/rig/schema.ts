// docs/schema: what programs that read --json may rely on.

import { readdirSync, readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect } from 'vitest'

const folder = new URL('../../docs/schema/', import.meta.url)

export const schemaNames = (): readonly string[] =>
  readdirSync(folder).map((file) => file.replace(/\.json$/, ''))

/** As they are written. */
export const readSchema = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'))

/** The value is what the schema says, and nothing more. */
export function expectSchema(name: string, value: unknown): void {
  const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true })
  for (const other of schemaNames()) ajv.addSchema(readSchema(other) as object, `${other}.json`)
  const check = ajv.getSchema(`${name}.json`)
  if (check === undefined) throw new Error(`docs/schema/${name}.json is missing`)
  // As a reader has it: what is undefined is not there.
  void check(JSON.parse(JSON.stringify(value)))
  expect(check.errors ?? []).toEqual([])
}
