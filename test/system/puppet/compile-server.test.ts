// A real puppet that is asked again and again.

import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { CatalogInput } from '../../../tasks/plan/recipe.ts'
import { puppet } from '../../../recipes/puppet.ts'
import { compileCatalog, type CompileOptions } from '../../../tasks/run/catalog-compile.ts'
import { type CompileServer, openCompileServer } from '../../../tasks/run/compile-server.ts'
import { canRun, makeTrees, type Trees } from './trees.ts'

const input = puppet({ environment: 'control', role: 'web' }).inputs['catalog'] as CatalogInput

function open(): CompileServer {
  const server = openCompileServer()
  onTestFinished(() => server.close())
  return server
}

describe.runIf(canRun)('a compile server', () => {
  let trees: Trees
  let options: CompileOptions
  beforeAll(async () => {
    trees = await makeTrees()
    const environment = join(trees.folder, 'control')
    cpSync(new URL('../../fixtures/puppet/environment', import.meta.url).pathname, environment, {
      recursive: true,
    })
    options = { tools: trees.tools, environment, signal: new AbortController().signal }
  })
  afterAll(() => trees.remove())

  test('answers as a puppet that is started for the question, and again', async () => {
    const { compile } = open()
    const fresh = withoutMoment(await compileCatalog(input, options))
    expect(withoutMoment(await compile(input, options))).toEqual(fresh)
    expect(withoutMoment(await compile(input, options))).toEqual(fresh)
    await expect(compile({ ...input, role: 'nothing' }, options)).rejects.toMatchObject({
      code: 'PUPPET_COMPILE',
    })
    expect(withoutMoment(await compile(input, options))).toEqual(fresh)
  })

  // Before it has read the question, while it compiles, and any time between.
  test.each([0, 50, 300, 1000])('is interrupted after %i ms, and answers the next one', async (ms) => {
    const { compile } = open()
    const controller = new AbortController()
    setTimeout(() => controller.abort(), ms)
    const outcome = await compile(input, { ...options, signal: controller.signal }).then(
      () => 'compiled',
      (error: unknown) => (error as { code?: unknown }).code,
    )
    // A fast machine may be done before.
    expect(outcome).toBe(controller.signal.aborted ? 'INTERRUPTED' : 'compiled')
    expect(withoutMoment(await compile(input, options))).toEqual(
      withoutMoment(await compileCatalog(input, options)),
    )
  })
})

/** A catalog has the time and a number of its own. */
const withoutMoment = (value: object): unknown =>
  JSON.parse(JSON.stringify(value).replaceAll(/"(?:version|catalog_uuid)":(?:\d+|"[^"]*"),?/g, ''))
