// A template of somebody's virt-builder repository as an input: what its signed index says it is, and its bytes,
// checked against that. The index is asked for each time, so that a new revision rebuilds what stands on it.

import { createHash } from 'node:crypto'
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readPublicKey, resolvePublicKey, type PublicKey } from '../../cache/repository/gpg-keys.ts'
import { hashFile } from '../../cache/repository/hash-file.ts'
import { verifyIndex } from '../../cache/repository/read-repository.ts'
import { inFolder } from '../../cache/repository/in-folder.ts'
import { readSection, type TemplateEntry } from '../../cache/repository/template-entry.ts'
import type { Store } from '../../cache/store.ts'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import type { TemplateInput } from '../plan/recipe.ts'
import { suggestHint } from '../plan/suggest.ts'
import { runProgram } from './process.ts'
import type { ResolvedInput } from './resolved.ts'
import { requireTools } from './tools.ts'

export interface TemplateSources {
  readonly context: RunContext
  readonly store: Pick<Store, 'readValue' | 'writeValue'>
}

/** `stage` makes a folder with `index.asc`, `key.gpg` and the template under the name the index gives it. */
export async function resolveTemplate(
  input: TemplateInput,
  sources: TemplateSources,
): Promise<ResolvedInput> {
  const { context } = sources
  const place = placeOf(input.source, context)
  const key = await keyOf(input, context)
  const index = await readIndex(input, { place, key }, sources)
  const { sections } = await verifyIndex(index, key, input.source)
  const entry = findEntry(
    sections.map(readSection).flatMap((one) => ('id' in one ? [one] : [])),
    input,
  )
  return {
    kind: 'template',
    digest: createHash('sha256').update(`template ${entry.sha512}`).digest('hex'),
    files: [{ path: `${input.source} ${entry.id} ${entry.arch}`, digest: entry.sha512 }],
    inKey: true,
    // A file can be looked at again; what a server has must be asked.
    ...(isAbsolute(place) ? { seen: [place] } : {}),
    stage: async (to) => {
      await mkdir(to)
      await writeFile(join(to, 'index.asc'), index)
      await writeFile(join(to, 'key.gpg'), key.bytes)
      await bring(entry, { place, to, source: input.source }, context)
    },
  }
}

/** An absolute path, or a URL. */
function placeOf(source: string, { root }: RunContext): string {
  if (/^https?:\/\//.test(source)) return source
  return source.startsWith('file://') ? fileURLToPath(source) : resolve(root, source)
}

async function keyOf({ trust }: TemplateInput, context: RunContext): Promise<PublicKey> {
  if ('fingerprint' in trust) return resolvePublicKey(trust.fingerprint, context)
  const path = resolve(context.root, trust.keyFile)
  const file = await readFile(path).catch((cause: unknown) => {
    throw new ImgError('INPUT_MISSING', `cannot read the key ${trust.keyFile}`, {
      path: trust.keyFile,
      hint: 'write it with `gpg --export FINGERPRINT`, beside the imgfile',
      cause,
    })
  })
  return readPublicKey(trust.keyFile, file)
}

/** Without network the last one seen answers: its signature is checked like any other's. */
async function readIndex(
  { source }: TemplateInput,
  { place, key }: { readonly place: string; readonly key: PublicKey },
  { context, store }: TemplateSources,
): Promise<string> {
  if (isAbsolute(place)) {
    return readFile(place, 'utf8').catch((cause: unknown) => {
      throw new ImgError('INPUT_MISSING', `there is no index ${source}`, {
        path: source,
        hint: 'publish to that folder first: img publish … --to',
        cause,
      })
    })
  }
  const name = `repository:${key.fingerprint}:${place}`
  return inFolder(async (folder) => {
    const to = join(folder, 'index.asc')
    const failed = await download(place, to, context)
    if (failed === undefined) {
      const text = await readFile(to, 'utf8')
      await store.writeValue(name, text)
      return text
    }
    const last = await store.readValue(name)
    if (last === undefined) {
      throw new ImgError('MIRROR_UNREACHABLE', `cannot read ${source}: ${failed}`, {
        hint: 'check the address and the network; there is no earlier answer to go on with',
        found: place,
      })
    }
    context.emit({ event: 'note', text: `${source} does not answer (${failed}); its last index is used` })
    return last.toString('utf8')
  })
}

function findEntry(
  entries: readonly TemplateEntry[],
  { template, arch, source }: TemplateInput,
): TemplateEntry {
  const own = entries.filter((entry) => entry.arch === arch)
  // Aliases come first, as virt-builder has it.
  const found = own.find(({ aliases }) => aliases.includes(template)) ?? own.find(({ id }) => id === template)
  if (found !== undefined) return found
  const names = own.flatMap(({ id, aliases }) => [id, ...aliases])
  throw new ImgError('INPUT_MISSING', `${source} has no template ${template} for ${arch}`, {
    found: template,
    hint: suggestHint(template, names, 'templates'),
    validOptions: names,
  })
}

async function bring(
  entry: TemplateEntry,
  { place, to, source }: { readonly place: string; readonly to: string; readonly source: string },
  context: RunContext,
): Promise<void> {
  const file = join(to, entry.file)
  await mkdir(dirname(file), { recursive: true })
  context.emit({ event: 'note', text: `template: bringing ${entry.id} of ${source}` })
  const failed = isAbsolute(place)
    ? await copyFile(join(dirname(place), entry.file), file).then(
        () => undefined,
        (cause: Error) => cause.message,
      )
    : await download(new URL(entry.file, place).href, file, context)
  const wrong =
    failed ?? ((await hashFile(file, 'sha512'))?.digest === entry.sha512 ? undefined : 'its checksum differs')
  if (wrong === undefined) return
  throw new ImgError('INPUT_MISSING', `the template ${entry.id} of ${source} cannot be had: ${wrong}`, {
    wanted: entry.sha512,
    hint: 'who publishes there must publish it again, or try later',
  })
}

/** With the program virt-builder itself uses. Why it failed, in words. */
async function download(url: string, to: string, context: RunContext): Promise<string | undefined> {
  await requireTools(['curl'], context)
  const { env, signal } = context
  const limits = ['--connect-timeout', '30', '--speed-time', '60', '--speed-limit', '1000', '--retry', '3']
  const argv = [
    'curl',
    '--fail',
    '--location',
    '--silent',
    '--show-error',
    '--proto',
    '=http,https',
    ...limits,
  ]
  const proxies = Object.entries(env).filter(([name]) => /^(?:https?|no|all)_proxy$/i.test(name))
  const result = await runProgram([...argv, '--output', to, '--', url], {
    signal,
    env: Object.fromEntries(proxies.map(([name, value]) => [name, value ?? ''])),
  })
  return result.exitCode === 0 ? undefined : result.stderr.trim().split('\n').at(-1)
}
