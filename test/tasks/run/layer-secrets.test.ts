import { appendFileSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fakeBackend } from '../../../tasks/backends/fake.ts'
import type { Backend, Work } from '../../../tasks/backends/backend.ts'
import { runBuild } from '../../../tasks/build.ts'
import type { RunContext } from '../../../tasks/context.ts'
import { ImgError } from '../../../tasks/errors.ts'
import type { Outcome } from '../../../tasks/plan/outcome.ts'
import type { Recipe } from '../../../tasks/plan/recipe.ts'
import { secret } from '../../../tasks/plan/secret.ts'
import type { Step } from '../../../tasks/plan/step.ts'
import { openSecrets } from '../../../tasks/run/layer-secrets.ts'
import { readLog } from '../../../tasks/run/read-log.ts'
import { child, fakeProject, fixed, root } from '../../rig/fake-project.ts'
import { testContext } from '../../rig/run-context.ts'
import { layer } from '../../../tasks/plan/declare.ts'
import { layerOf, makeGraph } from '../../../tasks/plan/graph.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

const value = 'IMGCANARY-3f9c "quoted" & <odd>'

/** A backend that shows the secret wherever it can; `onDisk` in the artifact, too. */
function careless(options: { readonly onDisk?: boolean; readonly fails?: boolean }): Backend {
  const fake = fakeBackend()
  const run = async (work: Work, context: RunContext): ReturnType<Backend['run']> => {
    const result = await fake.run(work, context)
    const names = work.steps.flatMap((step: Step) => ('secrets' in step ? (step.secrets ?? []) : []))
    for (const name of names) {
      const given = work.secrets?.[name]
      const text = Buffer.from((await given?.read()) ?? '').toString()
      const encoded = `${text}|${JSON.stringify(text)}|${encodeURIComponent(text)}|${Buffer.from(text).toString('base64')}\n`
      appendFileSync(work.log, encoded)
      for (const char of encoded) {
        context.emit({ event: 'output', layer: work.layer, stream: 'stdout', text: char })
      }
      context.emit({ event: 'note', layer: work.layer, text: encoded })
      if (options.onDisk === true) await addTo(result.files['disk.raw'] ?? '', text)
      if (options.fails === true) {
        throw new ImgError('STEP_FAILED', `layer ${work.layer}: ${text}`, { output: encoded, hint: text })
      }
    }
    return result
  }
  return { ...fake, run }
}

const addTo = async (file: string, text: string): Promise<void> =>
  writeFile(file, `${await readFile(file, 'utf8')}${Buffer.from(text).toString('hex')}`)

const usesSecret = (): Recipe => {
  const recipe = fixed([{ do: 'run', argv: ['login'], secrets: ['token'] }])
  return { ...recipe, inputs: { token: { kind: 'secret', secret: secret('token', { env: 'TOKEN' }) } } }
}

async function build(
  context: RunContext,
  backend: Backend,
  recipe = usesSecret(),
): Promise<{ outcome: Outcome; log: string }> {
  const install = layer('install:a', root('a'))
  const project = await fakeProject(context, [install, child('role:a', install, recipe)])
  const { layers } = await runBuild(project, [], { mode: 'fail-fast', check: false, backends: [backend] })
  const outcome = layers.find(({ name }) => name === 'role:a')?.outcome
  if (outcome === undefined) throw new Error('role:a has no outcome')
  return { outcome, log: (await readLog(project, 'role:a'))?.text ?? '' }
}

test('events, log, records and store show no secret', async () => {
  const context = testContext({ env: { TOKEN: value } })
  const { outcome, log } = await build(context, careless({}))
  expect(outcome.status).toBe('built')
  const shown = '[secret:token]|"[secret:token]"|[secret:token]|[secret:token]\n'
  expect(log).toBe(`+ login\n+ seal\n${shown}`)
  const output = context.events.flatMap((event) => (event.event === 'output' ? [event.text] : []))
  expect(output.join('')).toBe(shown)
  expect(context.events).toContainEqual({ event: 'note', layer: 'role:a', text: shown })
  expect(filesWith(context.cacheDir)).toEqual([])
})

test('an error shows none', async () => {
  const context = testContext({ env: { TOKEN: value } })
  const { outcome, log } = await build(context, careless({ fails: true }))
  const error = outcome.status === 'failed' ? outcome.error : undefined
  expect({ message: error?.message, fields: error?.fields }).toMatchObject({
    message: 'layer role:a: [secret:token]',
    fields: {
      output: '[secret:token]|"[secret:token]"|[secret:token]|[secret:token]\n',
      hint: '[secret:token]',
    },
  })
  expect(log).not.toContain('IMGCANARY')
  expect(filesWith(context.cacheDir)).toEqual([])
})

test('each value of a secret that is another one every time', async () => {
  const context = testContext()
  const source = { command: ['sh', '-c', 'echo >>times; echo "IMGCANARY-$(wc -l <times)-3f9c"'] }
  const steps = [1, 2].map((place) => ({
    do: 'run' as const,
    argv: ['login', String(place)],
    secrets: ['token'],
  }))
  const twice: Recipe = {
    ...fixed(steps),
    inputs: { token: { kind: 'secret', secret: secret('token', source) } },
  }
  const { log } = await build(context, careless({}), twice)
  expect(log.match(/\[secret:token\]/g)).toHaveLength(8)
  expect(log).not.toContain('IMGCANARY')
  expect(JSON.stringify(context.events)).not.toContain('IMGCANARY')
})

test('values made for one build alone, under one name', () => {
  const context = testContext()
  const install = layer('install:a', root('a'))
  const { hide, redactError, ...secrets } = openSecrets(
    layerOf(makeGraph({ layers: [install] }), install.name),
    context,
  )
  hide('the token', 'IMGCANARY-1')
  hide('the token', 'IMGCANARY-2')
  const changed = ['Exec[login IMGCANARY-1]', 'Exec[login IMGCANARY-2]']
  secrets.context.emit({ event: 'puppet', layer: 'install:a', changed, resources: 2 })
  const shown = ['Exec[login [secret:the token]]', 'Exec[login [secret:the token]]']
  expect(context.events).toEqual([{ event: 'puppet', layer: 'install:a', changed: shown, resources: 2 }])
  const error = redactError(new ImgError('STEP_FAILED', 'no', { validOptions: changed }))
  expect(error).toMatchObject({ fields: { validOptions: shown } })
  const other = redactError(new SyntaxError('Unexpected token in IMGCANARY-1')) as Error
  expect(other.message).toBe('Unexpected token in [secret:the token]')
  expect(other.stack).not.toContain('IMGCANARY')
})

test('what might have been the beginning of one is shown in the end', async () => {
  const context = testContext()
  const install = layer('install:a', root('a'))
  const secrets = openSecrets(layerOf(makeGraph({ layers: [install] }), install.name), context)
  secrets.hide('the token', 'IMGCANARY')
  secrets.context.emit({ event: 'output', layer: 'install:a', stream: 'stdout', text: 'at last: IMG' })
  const log = join(tempFolder({ log: '' }), 'log')
  await secrets.redactLog(log)
  const output = context.events.flatMap((event) => (event.event === 'output' ? [event.text] : []))
  expect(output.join('')).toBe('at last: IMG')
})

test('a layer that holds it fails, and nothing of it is stored', async () => {
  const context = testContext({ env: { TOKEN: value } })
  const { outcome } = await build(context, careless({ onDisk: true }))
  const error = outcome.status === 'failed' ? outcome.error : undefined
  expect(error?.code).toBe('SECRET_LEAKED')
  expect(error?.message).toMatch(/^layer role:a: the secret token is on disk\.raw, at byte \d+$/)
  expect(filesWith(context.cacheDir)).toEqual([])
})

test('the value is not in the key: another one builds nothing', async () => {
  const context = testContext({ env: { TOKEN: value } })
  await build(context, careless({}))
  const again = await build({ ...context, env: { TOKEN: 'another value' } }, careless({}))
  expect(again.outcome.status).toBe('reused')
})

test('a value that is not there fails when a step needs it', async () => {
  const { outcome } = await build(testContext(), careless({}))
  const error = outcome.status === 'failed' ? outcome.error : undefined
  expect(error?.message).toBe('the secret token is not to be had: the environment variable TOKEN is not set')
})

/** Files below the folder that have any part of the value in them, as it is or encoded. */
function filesWith(folder: string): readonly string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const parts = [
    'IMGCANARY',
    Buffer.from(value).toString('base64').slice(0, 20),
    Buffer.from(value).toString('hex').slice(0, 20),
  ]
  return files.filter((name) => {
    const path = join(folder, name)
    return statSync(path).isFile() && parts.some((part) => readFileSync(path).includes(part))
  })
}
