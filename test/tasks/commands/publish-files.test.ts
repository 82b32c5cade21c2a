import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { makePublish } from '../../../tasks/commands/publish.ts'
import { makeBootFiles } from '../../rig/boot-files.ts'
import { fakeCall } from '../../rig/layer-disks.ts'
import { testContext } from '../../rig/run-context.ts'
import { expectSchema } from '../../rig/schema.ts'
import { makeSigningKey, type TestKey } from '../../rig/signing-key.ts'
import { type Content, contentOf, sha256 } from '../../rig/target-content.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

let dir = ''
beforeEach(() => {
  dir = join(tempFolder(), 'boot')
})

const hour = 3_600_000

interface Run {
  readonly layer?: string
  readonly key?: TestKey
  readonly keep?: number
  readonly now?: number
  readonly json?: boolean
  /** Sees the name of each file that is about to be written. */
  readonly onFile?: (name: string) => void
}

const publish = async (files: Content, run: Run = {}): Promise<unknown> => {
  const { layer = 'ramdisk:web', key, keep, now = 0, json = true, onFile } = run
  const open = contentOf((_, name) => {
    onFile?.(name)
    return files
  })
  const options = { to: dir, ...(key && { gpgKey: key.fingerprint }), ...(keep !== undefined && { keep }) }
  const context = testContext({ now: () => now, ...(key && { env: { GNUPGHOME: key.home } }) })
  const call = fakeCall({ args: [layer], options, json })
  await makePublish(open).run(call, context)
  if (json) expectSchema('publish', call.printed[0])
  return json ? (call.printed[0] as { readonly published: readonly [unknown] }).published[0] : call.printed[0]
}

const image = (own: string): string => `root-${sha256(own).slice(0, 16)}.squashfs`
const releaseOf = (files: Content): string => sha256(files['SHA256SUMS']!).slice(0, 16)
const read = (name: string): string => readFileSync(join(dir, name), 'utf8')
const visible = (): readonly string[] => readdirSync(dir).filter((name) => name !== '.img')
const check = (): void =>
  void execFileSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: dir, stdio: 'pipe' })

test('what boots together is in a folder of its own, and signed with all the rest', async () => {
  const key = makeSigningKey()
  const files = await makeBootFiles('one')
  const id = releaseOf(files)
  expect(await publish(files, { key })).toEqual({
    layer: 'ramdisk:web',
    status: 'new',
    release: id,
    signed: key.fingerprint,
    removed: [],
  })
  const images = Object.keys(files).filter((name) => name.endsWith('.squashfs'))
  const together = Object.keys(files).filter((name) => !images.includes(name) && name !== 'SHA256SUMS')
  expect(readdirSync(join(dir, id)).toSorted()).toEqual(together.toSorted())
  expect(visible()).toEqual([...images, ...together, id, 'SHA256SUMS', 'SHA256SUMS.sig'].toSorted())
  for (const name of together) expect(read(`${id}/${name}`)).toBe(files[name])
  for (const name of [...images, 'vmlinuz', 'initrd.img', 'grub.cfg', 'pxelinux.cfg'])
    expect(read(name)).toBe(files[name])
  expect(read('boot.ipxe')).toBe(`#!ipxe\nchain ${id}/boot.ipxe\n`)
  check()
  key.gpg('--verify', join(dir, 'SHA256SUMS.sig'), join(dir, 'SHA256SUMS'))
  writeFileSync(join(dir, 'SHA256SUMS'), `${read('SHA256SUMS')}#`)
  const argv = ['--homedir', key.home, '--verify', join(dir, 'SHA256SUMS.sig'), join(dir, 'SHA256SUMS')]
  expect(spawnSync('gpg', argv).status).toBe(1)
})

test('what leads to the rest is last', async () => {
  const [one, two] = [await makeBootFiles('one'), await makeBootFiles('two')]
  await publish(one)
  const seen = new Map<string, string>()
  const onFile = (name: string): void => {
    if (name !== '' && name !== 'SHA256SUMS') seen.set(name, read('boot.ipxe'))
  }
  expect(await publish(two, { onFile })).toMatchObject({ status: 'changed', release: releaseOf(two) })
  expect([...seen.keys()]).toContain('vmlinuz')
  expect(new Set(seen.values())).toEqual(new Set([`#!ipxe\nchain ${releaseOf(one)}/boot.ipxe\n`]))
  // Who began to boot before finds what it was told of.
  expect(read(`${releaseOf(one)}/vmlinuz`)).toBe('kernel one')
  check()
})

test('old releases go after an hour, but for as many as are kept', async () => {
  const made = await Promise.all(['1', '2', '3', '4'].map((own) => makeBootFiles(own)))
  const [first, second, third, fourth] = made.map(releaseOf) as [string, string, string, string]
  for (const [at, files] of made.slice(0, 3).entries()) await publish(files, { keep: 1, now: at })
  const folders = (): readonly string[] => visible().filter((name) => /^[0-9a-f]{16}$/.test(name))
  expect(folders()).toEqual([first, second, third].toSorted())
  const last = await publish(made[3]!, { keep: 1, now: hour + 2 })
  const { removed } = last as { readonly removed: readonly string[] }
  expect(removed).toEqual(expect.arrayContaining([image('1'), `${first}/vmlinuz`, image('2')]))
  expect(folders()).toEqual([third, fourth].toSorted())
  const images = visible().filter((name) => name.endsWith('.squashfs'))
  expect(images).toEqual([image('3'), image('4'), image('base')].toSorted())
  check()
  // One that comes back is the newest.
  await publish(made[2]!, { keep: 0, now: 3 * hour })
  expect(read('boot.ipxe')).toContain(third)
  expect(await publish(made[2]!, { keep: 0, now: 5 * hour })).toMatchObject({ status: 'unchanged' })
  expect(folders()).toEqual([third])
})

test('without a key nothing is signed, and no old signature is left', async () => {
  const files = await makeBootFiles('one')
  await publish(files, { key: makeSigningKey() })
  expect(await publish(files, { json: false })).toBe(
    `ramdisk:web  release ${releaseOf(files)}  unchanged  signed by nobody\n`,
  )
  expect(existsSync(join(dir, 'SHA256SUMS.sig'))).toBe(false)
})

const disk = (data: string): Content => ({
  'disk.qcow2': data,
  SHA256SUMS: `${sha256(data)}  disk.qcow2\n`,
})

test('a disk is replaced by another as a whole', async () => {
  const layer = 'qcow2:web'
  const key = makeSigningKey()
  expect(await publish(disk('one'), { layer, key })).toMatchObject({ status: 'new' })
  expect(await publish(disk('two'), { layer, key })).toMatchObject({ status: 'changed', removed: [] })
  expect(visible()).toEqual(['SHA256SUMS', 'SHA256SUMS.sig', 'disk.qcow2'])
  expect(read('disk.qcow2')).toBe('two')
  check()
  key.gpg('--verify', join(dir, 'SHA256SUMS.sig'), join(dir, 'SHA256SUMS'))
})

test('two targets do not replace the files of each other', async () => {
  await publish(disk('one'), { layer: 'qcow2:web' })
  const path = join(dir, '.img/releases.json')
  await expect(publish(disk('two'), { layer: 'qcow2:db' })).rejects.toMatchObject({
    code: 'REPOSITORY_INVALID',
    message: `${path} says that these are the files of qcow2:web`,
    fields: {
      path,
      hint: 'publish qcow2:db to a folder of its own, or remove that file to replace them',
      found: 'qcow2:web',
      wanted: 'qcow2:db',
    },
  })
  expect(read('disk.qcow2')).toBe('one')
})

test.each(['{}', 'x', JSON.stringify({ format: 1, layer: 'a', releases: [{ id: 'a', files: ['../x'] }] })])(
  'the list %s is refused',
  async (text) => {
    dir = tempFolder({ '.img/releases.json': text })
    await expect(publish(disk('one'))).rejects.toMatchObject({
      code: 'REPOSITORY_INVALID',
      message: `${dir}/.img/releases.json is no list of releases`,
      fields: { hint: 'remove it: old files are then kept for ever, and nothing else is lost' },
    })
  },
)
