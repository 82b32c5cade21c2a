// The virt-builder step: a disk made of a template by virt-builder, out of a folder that holds what was verified.

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { readPublicKey } from '../../cache/repository/gpg-keys.ts'
import { renderIndexText } from '../../cache/repository/index-text.ts'
import { toSection } from '../../cache/repository/template-entry.ts'
import type { StepOf } from '../plan/step.ts'
import type { TemplateFile } from '../plan/template-file.ts'
import { runProgram } from '../run/process.ts'
import { guestfsEnv, insideOwnNamespace } from './libguestfs-programs.ts'
import { failure, type Build } from './namespace-build.ts'

/** Absolute path of the new disk. */
export async function runVirtBuilderStep(build: Build, step: StepOf<'virt-builder'>): Promise<string> {
  const { work, context, folders } = build
  const disk = path.join(folders.work, 'disk.raw')
  const source = await (step.input === undefined ? ofParent(build) : ofRepository(build, step.input))
  const argv = ['virt-builder', source.template ?? step.template, ...source.options, '--arch', step.arch]
  // Without, it would set a password nobody knows, and another one each time.
  const fixed = [
    '--root-password',
    'disabled',
    '--no-cache',
    '--no-network',
    '--no-logfile',
    '--format',
    'raw',
  ]
  const size = step.size === undefined ? [] : ['--size', `${step.size}b`]
  const scripts: string[] = []
  for (const [place, { content }] of step.firstboot.entries()) {
    // The path that is given becomes part of a name in the image, so it must not be one of this machine.
    const name = `firstboot-${place}`
    await writeFile(path.join(folders.work, name), content, { mode: 0o755 })
    scripts.push('--firstboot', name)
  }
  const env = await guestfsEnv(work.directory, context)
  const result = await runProgram(
    insideOwnNamespace([...argv, ...fixed, ...size, ...scripts, '--output', disk], context),
    {
      cwd: folders.work,
      // Its own sources only, and its own keys.
      env: { ...env, ...source.env, VIRT_BUILDER_DIRS: work.directory, XDG_CONFIG_HOME: work.directory },
      signal: context.signal,
      log: work.log,
      onOutput: (text, stream) => context.emit({ event: 'output', layer: work.layer, stream, text }),
    },
  )
  if (result.exitCode !== 0) throw await failure(build, 'virt-builder', result)
  return disk
}

interface TemplateSource {
  /** Its name there, where that is not the step's. */
  readonly template?: string
  readonly options: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** virt-builder checks the signature once more, with a keyring that has this one key. */
async function ofRepository({ work, context }: Build, input: string): Promise<TemplateSource> {
  const folder = work.inputs[input]
  if (folder === undefined) throw new Error(`the template of ${work.layer} was not staged`)
  const file = path.join(folder, 'key.gpg')
  const key = await readPublicKey(file, await readFile(file))
  const home = path.join(work.directory, 'gnupg')
  await mkdir(home, { mode: 0o700 })
  const argv = ['gpg', '--homedir', home, '--batch', '--quiet', '--no-autostart', '--import', file]
  const result = await runProgram(argv, { signal: context.signal, log: work.log })
  if (result.exitCode !== 0) throw new Error(`gpg cannot import ${file}: ${result.stderr}`)
  return {
    options: ['--source', `file://${path.join(folder, 'index.asc')}`, '--fingerprint', key.fingerprint],
    env: { GNUPGHOME: home },
  }
}

/** The parent's files came out of the store, which vouches for them; the checksum is compared all the same. */
async function ofParent({ work }: Build): Promise<TemplateSource> {
  const facts = work.parentFiles?.['template.json']
  if (facts === undefined) throw new Error(`${work.layer} does not stand on a template`)
  const template = JSON.parse(await readFile(facts, 'utf8')) as TemplateFile
  const { title, sha512, diskFormat, osinfo: _, ...same } = template
  const entry = { ...same, id: 'parent', name: title, sha512, format: diskFormat, revision: 1 }
  const index = path.join(path.dirname(facts), 'index')
  await writeFile(index, renderIndexText([toSection({ ...entry, aliases: [], notes: {} })]))
  return { template: 'parent', options: ['--source', `file://${index}`, '--no-check-signature'], env: {} }
}
