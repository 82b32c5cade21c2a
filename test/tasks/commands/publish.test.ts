import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readPublicKey } from '../../../cache/repository/gpg-keys.ts'
import { makePublish } from '../../../tasks/commands/publish.ts'
import type { TemplateFile } from '../../../tasks/plan/template-file.ts'
import { fakeCall, fakeLayerDisks } from '../../rig/layer-disks.ts'
import { readWhole, smallTemplate } from '../../rig/repository.ts'
import { testContext } from '../../rig/run-context.ts'
import { expectSchema } from '../../rig/schema.ts'
import { makeSigningKey } from '../../rig/signing-key.ts'

const facts = (content: string): TemplateFile => ({
  format: 1,
  title: 'Storage (Debian GNU/Linux 13 (trixie))',
  osinfo: 'debian13',
  arch: 'x86_64',
  file: 'disk.xz',
  sha512: smallTemplate('x', content).entry.sha512,
  diskFormat: 'raw',
  size: 4_294_967_296,
  compressedSize: content.length,
  expand: '/dev/sda2',
  lvexpand: '/dev/vg/root',
  notes: { '': 'one\ntwo', no: 'en' },
  aliases: ['ceph'],
  hidden: false,
})

/** Targets whose disk is `content`. */
const targets = (content: () => string): ReturnType<typeof fakeLayerDisks> =>
  fakeLayerDisks({
    isTarget: () => true,
    restore: (_layer, file, to) =>
      Promise.resolve(writeFileSync(to, file === 'disk.xz' ? content() : JSON.stringify(facts(content())))),
  })

test('a template is published under its name, and clients are told where and whom to trust', async () => {
  const own = makeSigningKey()
  const context = testContext({ env: { GNUPGHOME: own.home } })
  let content = 'one'
  const { open } = targets(() => content)
  const options = { to: 'images', gpgKey: own.fingerprint, keep: 2, conf: 'ours.conf' }
  const run = async (json = false): Promise<unknown[]> => {
    const call = fakeCall({ args: ['template:ceph-node'], options, cwd: context.root, json })
    expect(await makePublish(open).run(call, context)).toBe(0)
    return call.printed
  }
  const file = (text: string): string => `ceph-node-${facts(text).sha512.slice(0, 12)}.xz`
  const [dir, keyFile] = [join(context.root, 'images'), join(context.root, 'ours.gpg')]
  const told = `ours.conf goes to virt-builder/repos.d of clients, with ${keyFile}\n`
  expect(await run()).toEqual([`ceph-node  revision 1  new  ${file('one')}\n${told}`])
  content = 'two'
  const printed = await run(true)
  expectSchema('publish', printed[0])
  expect(printed).toEqual([
    {
      repository: 'images',
      templates: [{ id: 'ceph-node', arch: 'x86_64', file: file('two'), revision: 2, status: 'changed' }],
      removed: [],
      conf: { conf: 'ours.conf', key: keyFile },
    },
  ])
  const key = await readPublicKey(keyFile, readFileSync(keyFile))
  expect(key.fingerprint).toBe(own.fingerprint)
  const { title, diskFormat, format: _, ...same } = facts('two')
  expect(await readWhole(dir, key)).toEqual([
    { id: 'ceph-node', ...same, name: title, format: diskFormat, file: file('two'), revision: 2 },
  ])
  expect(readFileSync(join(context.root, 'ours.conf'), 'utf8')).toBe(
    `[ours]\nuri=file://${dir}/index.asc\ngpgkey=file://${keyFile}\nproxy=system\n`,
  )
})

test('the configuration alone needs no template', async () => {
  const own = makeSigningKey()
  const context = testContext({ env: { GNUPGHOME: own.home } })
  const uri = 'https://images.example.org/index.asc'
  const options = { to: 'images', gpgKey: own.fingerprint, conf: 'ours.conf', uri }
  expect(
    await makePublish(fakeLayerDisks().open).run(fakeCall({ options, cwd: context.root }), context),
  ).toBe(0)
  expect(readFileSync(join(context.root, 'ours.conf'), 'utf8')).toContain(`uri=${uri}\n`)
  expect(existsSync(join(context.root, 'images'))).toBe(false)
})

test.each([
  {
    args: [],
    options: { to: 'x', gpgKey: 'y' },
    message: 'no template is named',
    hint: "name some: img publish 'template:*' --to DIR --gpg-key FINGERPRINT; with --conf alone none is needed",
  },
  {
    args: ['template:a'],
    options: { gpgKey: 'y' },
    message: '--to is missing',
    hint: 'add --to DIR, the folder of the repository',
  },
  {
    args: ['template:a'],
    options: { to: 'x' },
    message: '--gpg-key is missing: a repository is always signed',
    hint: 'add --gpg-key FINGERPRINT; `gpg --list-secret-keys` prints those there are',
  },
  {
    args: ['template:a'],
    options: { to: 'x', gpgKey: 'y', uri: 'https://images.example.org/index.asc' },
    message: '--uri without --conf says nothing to anybody',
    hint: "add --conf FILE: the address goes into the clients' configuration",
  },
  {
    args: ['template:a'],
    options: { to: 'x', gpgKey: 'y', conf: 'our images.conf' },
    message: '"our images" cannot be the name of a source in a virt-builder configuration',
    hint: 'choose one without white space and without # ? %',
  },
])('$args $options is refused', async ({ args, options, message, hint }) => {
  const context = testContext()
  const call = fakeCall({ args, options, cwd: context.root })
  await expect(makePublish(fakeLayerDisks().open).run(call, context)).rejects.toMatchObject({
    code: 'USAGE',
    message,
    fields: { hint },
  })
})
