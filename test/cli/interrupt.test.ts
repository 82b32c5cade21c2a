import { expect, test } from 'vitest'
import { plainImgfile, testProject } from '../rig/project.ts'

const waiting = `console.error('loading')\nawait new Promise(() => setInterval(() => {}, 1000))\n`

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s ends what runs, with the status for it',
  async (signal) => {
    const { child, says, ended } = testProject({ 'imgfile.ts': waiting }).start(['plan'])
    await says('loading\n')
    child.kill(signal)
    expect(await ended).toEqual({
      status: 130,
      stdout: '',
      stderr: 'loading\nerror INTERRUPTED: loading imgfile.ts was interrupted\n',
    })
  },
)

test('a reader that goes away is no error', async () => {
  const layers = Array.from({ length: 5000 }, (_, index) => `layer('role:r${index}', recipe('x', 'none'))`)
  const imgfile = plainImgfile.replace('[install, base]', `[${layers.join(', ')}]`)
  const { child, ended } = testProject({ 'imgfile.ts': imgfile }).start(['graph'])
  child.stdout.destroy()
  const { status, stderr } = await ended
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
})
