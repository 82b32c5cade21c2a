import { expect, test } from 'vitest'
import { installerMirror } from '../../../tasks/backends/installer-mirror.ts'
import { installStep } from '../../rig/install-step.ts'
import { testContext } from '../../rig/run-context.ts'

const env = {
  IMG_MIRROR: 'http://mirror.example.org/debian',
  IMG_SECURITY_MIRROR: 'http://sec.example.org/debian-security',
}
const machine = { memory: 1024, cpus: 2, display: false, mirror: 'http://option.example.org/debian' }

test('the mirror this machine uses', async () => {
  expect(await installerMirror(installStep(), testContext({ env }))).toEqual({
    packages: 'http://mirror.example.org/debian',
    security: 'http://sec.example.org/debian-security',
    unsigned: false,
  })
})

test('an option, and over it the environment', async () => {
  const step = installStep('preseed', { machine })
  expect(await installerMirror(step, testContext({ env }))).toMatchObject({
    packages: 'http://option.example.org/debian',
    security: 'http://option.example.org/debian-security',
  })
  const given = { IMG_INSTALL_MIRROR: 'http://env.example.org/debian/' }
  expect(await installerMirror(step, testContext({ env: given }))).toMatchObject({
    packages: 'http://env.example.org/debian',
  })
})

test.each(['127.0.0.1', 'localhost', '[::1]'])('a mirror at %s is seen from the guest', async (host) => {
  const context = testContext({ env: { IMG_INSTALL_MIRROR: `http://${host}:3180/debian` } })
  expect((await installerMirror(installStep(), context))?.packages).toBe('http://10.0.2.2:3180/debian')
})

test('other installers are told of a mirror only when one is given', async () => {
  expect(await installerMirror(installStep('kickstart'), testContext({ env }))).toBeUndefined()
  expect(await installerMirror(installStep('kickstart', { machine }), testContext({ env }))).toMatchObject({
    packages: 'http://option.example.org/debian',
  })
})

test('an unsigned mirror is warned of', async () => {
  const context = testContext({ env: { ...env, IMG_INSTALL_UNSIGNED: '1' } })
  expect((await installerMirror(installStep(), context))?.unsigned).toBe(true)
  expect(context.events).toEqual([
    {
      event: 'warning',
      text: 'IMG_INSTALL_UNSIGNED: the installer takes its own parts from the mirror without checking who made them',
      hint: 'use it with a mirror of your own only',
    },
  ])
})

test('what is no URL', async () => {
  const context = testContext({ env: { IMG_INSTALL_MIRROR: 'mirror' } })
  await expect(installerMirror(installStep(), context)).rejects.toMatchObject({
    code: 'USAGE',
    message: 'IMG_INSTALL_MIRROR is not an http or https URL: mirror',
    fields: {
      hint: 'set it to the URL above dists/ and pool/, such as http://mirror.example.org/debian',
      found: 'mirror',
    },
  })
})
