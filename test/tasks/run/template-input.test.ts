import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { resolveSigningKey, type SigningKey } from '../../../cache/repository/gpg-keys.ts'
import { publishTemplates } from '../../../cache/repository/publish.ts'
import type { RunContext } from '../../../tasks/context.ts'
import type { ImgEvent } from '../../../tasks/events.ts'
import type { TemplateInput } from '../../../tasks/plan/recipe.ts'
import { resolveTemplate } from '../../../tasks/run/template-input.ts'
import { makeMemory } from '../../rig/memory.ts'
import { smallTemplate } from '../../rig/repository.ts'
import { testContext } from '../../rig/run-context.ts'
import { makeSigningKey } from '../../rig/signing-key.ts'

interface Rig {
  readonly context: RunContext & { readonly events: ImgEvent[] }
  readonly dir: string
  readonly key: SigningKey
  readonly input: TemplateInput
  readonly publish: (id: string, content: string) => Promise<unknown>
}

async function rig(): Promise<Rig> {
  const own = makeSigningKey()
  const context = testContext({ env: { GNUPGHOME: own.home } })
  const dir = join(context.root, 'images')
  const key = await resolveSigningKey(own.fingerprint, context)
  writeFileSync(join(context.root, 'images.gpg'), key.bytes)
  const input: TemplateInput = {
    kind: 'template',
    source: 'images/index.asc',
    template: 'debian',
    arch: 'x86_64',
    trust: { keyFile: 'images.gpg' },
  }
  const publish = (id: string, content: string): Promise<unknown> =>
    publishTemplates([smallTemplate(id, content, { aliases: [`${id}-alias`] })], { dir, key }, context)
  return { context, dir, key, input, publish }
}

test('its digest is that of the template, and its bytes are staged with what vouches for them', async () => {
  const { context, dir, key, input, publish } = await rig()
  await publish('debian', 'one')
  const sources = { context, store: makeMemory() }
  const first = await resolveTemplate(input, sources)
  expect(first).toMatchObject({ kind: 'template', inKey: true, seen: [join(dir, 'index.asc')] })
  expect(first.files).toEqual([
    { path: 'images/index.asc debian x86_64', digest: smallTemplate('', 'one').entry.sha512 },
  ])
  await publish('other', 'else')
  expect((await resolveTemplate(input, sources)).digest).toBe(first.digest)
  const byAlias = await resolveTemplate({ ...input, template: 'debian-alias' }, sources)
  expect(byAlias.digest).toBe(first.digest)
  const trust = { fingerprint: key.fingerprint }
  expect((await resolveTemplate({ ...input, trust }, sources)).digest).toBe(first.digest)
  const to = join(context.root, 'staged')
  await first.stage!(to)
  const file = `debian-${smallTemplate('', 'one').entry.sha512.slice(0, 12)}.xz`
  expect(readFileSync(join(to, file), 'utf8')).toBe('one')
  expect(readFileSync(join(to, 'key.gpg')).equals(key.bytes)).toBe(true)
  await publish('debian', 'two')
  expect((await resolveTemplate(input, sources)).digest).not.toBe(first.digest)
})

test('what is unsigned, tampered with, absent or of a stranger is refused', async () => {
  const { context, dir, input, publish } = await rig()
  const sources = { context, store: makeMemory() }
  await expect(resolveTemplate(input, sources)).rejects.toMatchObject({
    code: 'INPUT_MISSING',
    message: 'there is no index images/index.asc',
    fields: { path: 'images/index.asc', hint: 'publish to that folder first: img publish … --to' },
  })
  await publish('debian', 'one')
  await expect(resolveTemplate({ ...input, template: 'debiam' }, sources)).rejects.toMatchObject({
    code: 'INPUT_MISSING',
    message: 'images/index.asc has no template debiam for x86_64',
    fields: { hint: 'did you mean debian?', validOptions: ['debian', 'debian-alias'] },
  })
  const trust = { keyFile: 'theirs.gpg' }
  await expect(resolveTemplate({ ...input, trust }, sources)).rejects.toMatchObject({
    code: 'INPUT_MISSING',
    message: 'cannot read the key theirs.gpg',
    fields: { hint: 'write it with `gpg --export FINGERPRINT`, beside the imgfile' },
  })
  const found = await resolveTemplate(input, sources)
  writeFileSync(join(dir, `debian-${smallTemplate('', 'one').entry.sha512.slice(0, 12)}.xz`), 'two')
  await expect(found.stage!(join(context.root, 'staged'))).rejects.toMatchObject({
    code: 'INPUT_MISSING',
    message: 'the template debian of images/index.asc cannot be had: its checksum differs',
    fields: { hint: 'who publishes there must publish it again, or try later' },
  })
  const index = join(dir, 'index.asc')
  const signed = readFileSync(index, 'utf8')
  for (const [text, message] of [
    [signed.replace('revision=1', 'revision=2'), /has no good signature of/],
    [signed.split('\n\n')[1]!.split('-----')[0]!, /is not a clear-signed file/],
  ] as const) {
    writeFileSync(index, text)
    await expect(resolveTemplate(input, sources)).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' })
    await expect(resolveTemplate(input, sources)).rejects.toThrow(message)
  }
})

test('a server is asked each time; when it does not answer, its last index is used', async () => {
  const { context, dir, input, publish } = await rig()
  await publish('debian', 'one')
  const server: Server = createServer((request, response) => {
    try {
      response.end(readFileSync(join(dir, request.url ?? '')))
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const source = `http://127.0.0.1:${(server.address() as AddressInfo).port}/index.asc`
  const sources = { context, store: makeMemory() }
  const first = await resolveTemplate({ ...input, source }, sources)
  expect(first.seen).toBeUndefined()
  await first.stage!(join(context.root, 'staged'))
  await publish('debian', 'two')
  const second = await resolveTemplate({ ...input, source }, sources)
  expect(second.digest).not.toBe(first.digest)
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  expect((await resolveTemplate({ ...input, source }, sources)).digest).toBe(second.digest)
  expect(context.events.at(-1)).toMatchObject({
    event: 'note',
    text: expect.stringContaining(`${source} does not answer (curl: (7) `),
  })
  await expect(resolveTemplate({ ...input, source }, { context, store: makeMemory() })).rejects.toMatchObject(
    {
      code: 'MIRROR_UNREACHABLE',
      message: expect.stringMatching(/^cannot read http:\/\/127\.0\.0\.1:\d+\/index\.asc: curl: \(7\) /),
      fields: { hint: 'check the address and the network; there is no earlier answer to go on with' },
    },
  )
}, 60_000)
