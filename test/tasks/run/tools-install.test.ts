import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { installPackages } from '../../../tasks/run/tools-install.ts'
import { fakePrograms } from '../../rig/fake-programs.ts'
import { testContext } from '../../rig/run-context.ts'

const log = 'echo "$(basename "$0") $*" >> "$(dirname "$0")/log"'

/** What was started, in order. */
const started = (folder: string): string[] => readFileSync(join(folder, 'log'), 'utf8').trim().split('\n')

const install = 'apt-get -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends a b'

describe('installPackages', () => {
  it('installs at once as root', async () => {
    const { folder, path } = fakePrograms({ 'apt-get': log })
    const context = testContext()
    await installPackages(['a', 'b'], context, path)
    expect(started(folder)).toEqual([install])
    expect(context.events).toEqual([{ event: 'note', text: 'installs a, b' }])
  })

  it('goes through sudo without ever asking for a password', async () => {
    const { folder, path } = fakePrograms({ 'apt-get': log, sudo: `${log}\nshift 2\nexec "$@"` })
    await installPackages(['a', 'b'], testContext({ uid: 1000 }), path)
    expect(started(folder)).toEqual([`sudo -n -- env DEBIAN_FRONTEND=noninteractive ${install}`, install])
  })

  it('fetches the lists of a fresh machine and tries again', async () => {
    const { folder, path } = fakePrograms({
      'apt-get': `${log}\ncase "$*" in *update) touch "$(dirname "$0")/fresh";; *) test -e "$(dirname "$0")/fresh";; esac`,
    })
    await installPackages(['a', 'b'], testContext(), path)
    expect(started(folder)).toEqual([install, 'apt-get -o DPkg::Lock::Timeout=300 update', install])
  })

  it('says what apt-get said when it cannot', async () => {
    const { path } = fakePrograms({ 'apt-get': 'echo "E: Unable to locate package a" >&2; exit 100' })
    await expect(installPackages(['a', 'b'], testContext(), path)).rejects.toMatchObject({
      code: 'TOOL_MISSING',
      message: 'apt-get could not install a, b',
      fields: {
        hint: 'run `apt-get install --yes --no-install-recommends a b` yourself',
        output: 'E: Unable to locate package a',
      },
    })
  })

  it('leaves other distributions to their own tools', async () => {
    const { folder } = fakePrograms({})
    await expect(installPackages(['a', 'b'], testContext(), folder)).rejects.toMatchObject({
      code: 'TOOL_MISSING',
      message: 'cannot install a, b: this host has no apt-get',
      fields: { hint: "install them with this host's package manager" },
    })
  })
})
