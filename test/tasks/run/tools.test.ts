import { describe, expect, it } from 'vitest'
import { packagesOf, requireTools, tools, type ToolName } from '../../../tasks/run/tools.ts'
import { fakePrograms } from '../../rig/fake-programs.ts'
import { testContext } from '../../rig/run-context.ts'

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
