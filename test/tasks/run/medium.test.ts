import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { update } from '../../../tasks/commands/update.ts'
import type { RunContext } from '../../../tasks/context.ts'
import type { MediumLocation } from '../../../tasks/plan/recipe.ts'
import { debianArchitecture } from '../../../tasks/run/apt-indexes.ts'
import { mediumName, resolveMedium } from '../../../tasks/run/medium.ts'
import type { ResolvedInput } from '../../../tasks/run/resolved.ts'
import { september, useArchiveProject } from '../../rig/archive-project.ts'
import { hasGpg, sha256 } from '../../rig/fake-archive.ts'

const arch = debianArchitecture()
async function printed(options: Record<string, boolean>, context: RunContext): Promise<readonly unknown[]> {
  const results: unknown[] = []
  const print = (result: unknown): void => void results.push(result)
  await update.run({ args: [], options, json: false, cwd: context.root, print }, context)
  return results
}

const digest = (text: string): string => sha256(Buffer.from(text))

test.each<[MediumLocation, string]>([
  [{ suite: 'trixie' }, `trixie netboot ${arch}`],
  ['https://mirror.example.org/isos/one.iso', 'isos/one.iso'],
  ['media/one.iso', 'media/one.iso'],
  ['/srv/media/one.iso', 'one.iso'],
  [{ kernel: '/srv/linux', initrd: 'media/initrd.gz' }, 'linux media/initrd.gz'],
])('%j is called the same on every machine', (location, name) => {
  expect(mediumName(location)).toBe(name)
})

describe.runIf(hasGpg)('an installer', () => {
  const rig = useArchiveProject()
  const installer = { kernel: 'a kernel', initrd: 'an initrd' }
  const netboot = `/debian/dists/trixie/main/installer-${arch}/current/images/netboot/debian-installer/${arch}`

  async function resolve(
    location: MediumLocation,
    options: { readonly env?: Record<string, string>; readonly frozen?: boolean } = {},
  ): Promise<ResolvedInput> {
    const env = { ...rig.project.context.env, ...options.env }
    const lock = await rig.project.open({ frozen: options.frozen ?? false })
    return resolveMedium({ kind: 'medium', location }, { lock, context: { ...rig.project.context, env } })
  }

  async function staged(input: ResolvedInput): Promise<Readonly<Record<string, string>>> {
    const to = join(rig.project.context.cacheDir, `staged-${Math.random()}`)
    await input.stage?.(to)
    return {
      kernel: readFileSync(join(to, 'kernel'), 'utf8'),
      initrd: readFileSync(join(to, 'initrd'), 'utf8'),
    }
  }

  test('of a suite is what the signed archive says', async () => {
    rig.project.serve({ ...september, installer })
    const input = await resolve({ suite: 'trixie' })
    expect(input).toMatchObject({
      kind: 'medium',
      inKey: true,
      files: [
        { path: `trixie netboot ${arch} initrd`, digest: digest('an initrd') },
        { path: `trixie netboot ${arch} kernel`, digest: digest('a kernel') },
      ],
    })
    expect(JSON.parse(readFileSync(rig.project.lockPath, 'utf8')).media).toEqual({
      [`trixie netboot ${arch}`]: { kernel: digest('a kernel'), initrd: digest('an initrd') },
    })
    expect(await staged(input)).toEqual(installer)
  })

  test('that is pinned needs no network to be planned', async () => {
    rig.project.serve({ ...september, installer })
    const first = await resolve({ suite: 'trixie' })
    rig.project.mirror.files.clear()
    expect((await resolve({ suite: 'trixie' }, { frozen: true })).digest).toBe(first.digest)
  })

  test('is pinned anew after img update --installers', async () => {
    rig.project.serve({ ...september, installer })
    await resolve({ suite: 'trixie' })
    rig.project.serve({ ...september, installer: { ...installer, kernel: 'a newer kernel' } })
    const run = (options: Record<string, boolean>): Promise<readonly unknown[]> =>
      printed(options, rig.project.context)
    const said = `trixie netboot ${arch}: pinned anew by the next plan or build\n`
    expect(await run({ dryRun: true, installers: true })).toEqual([said])
    expect((await resolve({ suite: 'trixie' })).files[1]?.digest).toBe(digest('a kernel'))
    expect(await run({ installers: true })).toEqual([said])
    expect(await run({ installers: true })).toEqual(['imgfile.lock pins no installer\n'])
    expect((await resolve({ suite: 'trixie' })).files[1]?.digest).toBe(digest('a newer kernel'))
  })

  test('lies in IMG_MEDIA where the mirror lacks it', async () => {
    rig.project.serve({ ...september, installer })
    rig.project.mirror.files.delete(`${netboot}/linux`)
    const media = join(rig.project.context.root, 'media')
    mkdirSync(media)
    writeFileSync(join(media, 'linux'), 'a kernel')
    expect(await staged(await resolve({ suite: 'trixie' }, { env: { IMG_MEDIA: media } }))).toEqual(installer)
  })

  test('that is another one than is pinned is refused', async () => {
    rig.project.serve({ ...september, installer })
    rig.project.mirror.files.delete(`${netboot}/linux`)
    const media = join(rig.project.context.root, 'media')
    mkdirSync(media)
    writeFileSync(join(media, 'linux'), 'another kernel')
    const input = await resolve({ suite: 'trixie' }, { env: { IMG_MEDIA: media } })
    await expect(staged(input)).rejects.toMatchObject({
      code: 'INPUT_MISSING',
      message: `the installer trixie netboot ${arch} cannot be had: its kernel could not be fetched: answered 404`,
      fields: {
        wanted: digest('a kernel'),
        hint: 'set IMG_MEDIA to a folder that has it, or run `img update --installers` to pin the present one',
      },
    })
  })

  test('of files beside the imgfile', async () => {
    const { root } = rig.project.context
    mkdirSync(join(root, 'di'))
    writeFileSync(join(root, 'di/linux'), 'a kernel')
    writeFileSync(join(root, 'di/initrd.gz'), 'an initrd')
    expect(await staged(await resolve('di'))).toEqual(installer)
    expect(await staged(await resolve({ kernel: 'di/linux', initrd: 'di/initrd.gz' }))).toEqual(installer)
    writeFileSync(join(root, 'di/linux'), 'a newer kernel')
    await expect(staged(await resolve('di'))).rejects.toMatchObject({
      message: 'the installer di cannot be had: its kernel is not there, or not what imgfile.lock pins',
      fields: { path: 'di/linux', wanted: digest('a kernel') },
    })
    await expect(resolve({ kernel: 'no/linux', initrd: 'di/initrd.gz' })).rejects.toMatchObject({
      message: "cannot read the installer's file no/linux",
      fields: { path: 'no/linux', hint: 'check the path, relative to the imgfile' },
    })
  })

  test('whose list is older than the release of a mirror that is being updated', async () => {
    rig.project.serve({ ...september, installer })
    const list = netboot.replace(/netboot.*/, 'SHA256SUMS')
    const bytes = Buffer.from(rig.project.mirror.files.get(list)!)
    rig.project.mirror.files.set(list, bytes.fill('0', 0, 1))
    await expect(resolve({ suite: 'trixie' })).rejects.toMatchObject({
      code: 'MIRROR_UNREACHABLE',
      message: expect.stringMatching(
        /^the mirror lacks the main\S+SHA256SUMS that its Release of trixie names: has sha256 \w+ instead of \w+$/,
      ),
      fields: {
        hint: 'the mirror may be in the middle of an update: try again later, or set IMG_MIRROR to another one',
      },
    })
    rig.project.mirror.files.delete(list)
    await expect(resolve({ suite: 'trixie' })).rejects.toMatchObject({
      message: expect.stringMatching(/^the mirror lacks the .*: answered 404$/),
    })
  })

  test('that is not there', async () => {
    await expect(resolve('nothing')).rejects.toMatchObject({
      code: 'INPUT_MISSING',
      message: 'there is no installer in nothing',
    })
  })

  test('of a suite without one', async () => {
    rig.project.serve(september)
    await expect(resolve({ suite: 'trixie' })).rejects.toMatchObject({
      code: 'INPUT_MISSING',
      message: `trixie has no installer for ${arch}`,
      fields: { hint: 'name another suite, or the installer itself as location', found: 'trixie' },
    })
  })

  test('is not pinned by --frozen', async () => {
    await expect(resolve({ suite: 'trixie' }, { frozen: true })).rejects.toMatchObject({
      code: 'LOCK_FROZEN',
      message: `imgfile.lock has no installer trixie netboot ${arch}, and --frozen allows no new one`,
      fields: {
        path: 'imgfile.lock',
        hint: 'run `img plan` once without --frozen and commit imgfile.lock',
      },
    })
  })

  test('of a tree is what the list beside it says', async () => {
    const url = rig.project.mirror.url
    rig.project.mirror.files.set('/tree/linux', Buffer.from('a kernel'))
    rig.project.mirror.files.set('/tree/initrd.gz', Buffer.from('an initrd'))
    const location = { kernel: `${url}/tree/linux`, initrd: `${url}/tree/initrd.gz` }
    await expect(resolve(location)).rejects.toMatchObject({
      code: 'INPUT_MISSING',
      message: expect.stringContaining('nobody says what the installer should be: /tree/SHA256SUMS'),
    })
    const list = `${digest('a kernel')}  linux\n${digest('an initrd')}  initrd.gz\n`
    rig.project.mirror.files.set('/tree/SHA256SUMS', Buffer.from(list))
    expect(await staged(await resolve(location))).toEqual(installer)
  })
})
