// What programs of libguestfs are given, by a guestfish and a supermin that say what they were asked.

import { mkdirSync, readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { guestfsEnv } from '../../../tasks/backends/libguestfs-programs.ts'
import { fakePrograms } from '../../rig/fake-programs.ts'
import { testContext } from '../../rig/run-context.ts'

const supermin = 'echo "$*" >>asked'
const guestfish = 'echo /nowhere:$PWD/guestfs; echo "$LIBGUESTFS_CACHEDIR"'

function ask(uid: number, programs: Readonly<Record<string, string>> = {}) {
  const context = testContext({ uid })
  mkdirSync(join(context.root, 'guestfs/supermin.d'), { recursive: true })
  const cache = join(context.root, 'kept')
  const env = { IMG_ACCEL: 'tcg', LIBGUESTFS_CACHEDIR: cache }
  const { path } = fakePrograms({ guestfish, supermin, ...programs })
  const given = guestfsEnv(context.root, { ...context, env }, path)
  return { given, cache, directory: context.root }
}

test('a user has the appliance made outside of every namespace, and named as one that is never made again', async () => {
  const { given, cache, directory } = ask(1000)
  const fixed = (await given)['LIBGUESTFS_PATH'] ?? ''
  const kept = join(cache, '.guestfs-1000')
  expect(readFileSync(join(directory, 'asked'), 'utf8')).toBe(
    `--build --if-newer --lock ${kept}/lock --copy-kernel -f ext2 ${directory}/guestfs/supermin.d -o ${kept}/appliance.d\n`,
  )
  expect(readdirSync(fixed).toSorted()).toEqual(['README.fixed', 'initrd', 'kernel', 'root'])
  expect(readlinkSync(join(fixed, 'root'))).toBe(`${kept}/appliance.d/root`)
})

test('a fixed appliance of the machine is taken as it is', async () => {
  const { given } = ask(1000, { guestfish: 'echo /opt/fixed; echo /var/tmp', supermin: 'exit 1' })
  expect((await given)['LIBGUESTFS_PATH']).toBe('/opt/fixed')
})

test('root, who needs no user namespace, has libguestfs make it', async () => {
  expect(await ask(0).given).not.toHaveProperty('LIBGUESTFS_PATH')
})

test('one that cannot be made says why', async () => {
  const { given } = ask(1000, { supermin: 'echo "supermin: failed to find a suitable kernel" >&2; exit 1' })
  await expect(given).rejects.toMatchObject({
    code: 'BACKEND_UNAVAILABLE',
    message: 'supermin cannot make the appliance of libguestfs',
    fields: {
      output: 'supermin: failed to find a suitable kernel',
      hint: 'run `libguestfs-test-tool` and `img doctor`: a kernel in /boot the user may read is needed',
    },
  })
})
