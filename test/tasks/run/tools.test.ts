import { describe, expect, it } from 'vitest'
import { packagesOf, requireTools, tools, type ToolName } from '../../../tasks/run/tools.ts'
import { fakePrograms } from '../../rig/fake-programs.ts'
import { testContext } from '../../rig/run-context.ts'

const refused = (): Promise<never> => Promise.reject(new Error('no mirror'))

describe('requireTools', () => {
  it('is content with what is there', async () => {
    const { folder } = fakePrograms({ 'qemu-img': '', ssh: '' })
    await expect(requireTools(['qemu-img', 'ssh'], testContext(), { path: folder })).resolves.toBe(undefined)
  })

  it.each([
    [0, ''],
    [1000, 'sudo '],
  ])('says for user %i exactly what to run', async (uid, sudo) => {
    const { folder } = fakePrograms({ 'qemu-img': '' })
    await expect(
      requireTools(['qemu-img', 'mmdebstrap', 'unshare', 'setpriv'], testContext({ uid }), { path: folder }),
    ).rejects.toMatchObject({
      code: 'TOOL_MISSING',
      message:
        'not installed: mmdebstrap (needed to install Debian and Ubuntu), unshare (needed to build in namespaces of its own), setpriv (needed to end programs together with img)',
      fields: {
        hint: `run \`${sudo}apt-get install --yes --no-install-recommends mmdebstrap util-linux\`, or add --yes`,
      },
    })
  })

  const recommended = ['qemu-img', 'qemu-storage-daemon'] as const
  const note =
    "recommended, not installed: qemu-storage-daemon (to build on a parent's disk without copying it); run `apt-get install --yes --no-install-recommends qemu-system-common`"

  it.each([false, true])('goes on without what is only recommended (yes: %s)', async (yes) => {
    const { folder } = fakePrograms({ 'qemu-img': '' })
    const context = testContext({ yes, uid: 0 })
    await requireTools(['qemu-img'], context, { path: folder, install: refused, recommended })
    expect(context.events).toEqual([{ event: 'note', text: note }])
  })

  it('installs what is recommended together with what is needed', async () => {
    const asked: (readonly string[])[] = []
    const install = (packages: readonly string[]): Promise<void> => Promise.resolve(void asked.push(packages))
    const { folder } = fakePrograms({ 'qemu-img': '' })
    const context = testContext({ yes: true })
    await requireTools([], context, { path: folder, install, recommended })
    const failing = requireTools(['mmdebstrap'], context, { path: folder, install, recommended })
    await expect(failing).rejects.toMatchObject({ code: 'TOOL_MISSING' })
    expect(asked).toEqual([['qemu-system-common'], ['mmdebstrap', 'qemu-system-common']])
    expect(context.events).toEqual([])
  })

  it('installs each package once when the user said yes, and looks again', async () => {
    const asked: (readonly string[])[] = []
    const { folder } = fakePrograms({})
    const failing = requireTools(['unshare', 'setpriv'], testContext({ yes: true }), {
      path: folder,
      install: (packages) => Promise.resolve(void asked.push(packages)),
    })
    await expect(failing).rejects.toMatchObject({ code: 'TOOL_MISSING' })
    expect(asked).toEqual([['util-linux']])
    const { folder: later } = fakePrograms({ unshare: '', setpriv: '' })
    const paths = [folder, `${folder}:${later}`]
    const options = {
      get path(): string {
        return paths.length > 1 ? (paths[0] ?? '') : (paths.at(-1) ?? '')
      },
      install: () => Promise.resolve(void paths.shift()),
    }
    await requireTools(['unshare', 'setpriv'], testContext({ yes: true }), options)
    expect(paths).toHaveLength(1)
  })
})

it('knows the package of every tool', () => {
  const names = Object.keys(tools) as ToolName[]
  expect(packagesOf(names).length).toBeGreaterThan(5)
  expect(packagesOf(['qemu-img', 'qemu-system-x86_64'])).toEqual(['qemu-utils', 'qemu-system-x86'])
})
