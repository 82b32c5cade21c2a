import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { plainImgfile, testProject } from '../rig/project.ts'
import { writeFiles } from '../rig/temp-folder.ts'

const project = (): ReturnType<typeof testProject> =>
  testProject({ 'imgfile.ts': plainImgfile, 'files/a': 'a', 'deep/er/x': '' })

test('for people: a table', async () => {
  const { img } = project()
  expect(await img(['plan'])).toEqual({
    status: 0,
    stderr: '',
    stdout: `action     layer      reason
build      install:a  never built
undecided  base:a     waits for install:a; never built
1 to build and perhaps 1 more: 2 never built, so without a time
`,
  })
})

test('for programs: the shape scripts rely on', async () => {
  const { img } = project()
  const { status, stdout } = await img(['plan', '--json'])
  expect(status).toBe(0)
  expect(stdout).toMatch(/^[^\n]+\n$/)
  expect(JSON.parse(stdout)).toEqual({
    layers: [
      {
        name: 'install:a',
        action: 'build',
        reason: 'never built',
        key: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
      { name: 'base:a', action: 'undecided', reason: expect.any(String) },
    ],
    estimate: {
      builds: 1,
      perhaps: 1,
      unknown: 2,
      workMs: 0,
      criticalMs: 0,
      criticalPath: ['install:a'],
      fetchBytes: 0,
      diskBytes: 0,
    },
  })
})

test('keys depend on what is in the files, not on where, when, by whom or in which language', async () => {
  const [here, there] = [project(), project()]
  const keyOf = async (
    { img }: typeof here,
    env: Record<string, string> = {},
    cwd?: string,
  ): Promise<string> => {
    const { stdout } = await img(['plan', 'install:a', '--json'], {
      env,
      ...(cwd === undefined ? {} : { cwd }),
    })
    return (JSON.parse(stdout) as { layers: { key: string }[] }).layers[0]?.key ?? ''
  }
  const first = await keyOf(here)
  const odd = { LC_ALL: 'C', TZ: 'Asia/Tokyo', LANG: 'tr_TR.UTF-8' }
  expect(await keyOf(there, odd, join(there.root, 'deep/er'))).toBe(first)
  writeFiles(there.root, { 'unrelated.txt': 'x' })
  appendFileSync(join(there.root, 'imgfile.ts'), '// a comment\n')
  expect(await keyOf(there)).toBe(first)
  writeFiles(there.root, { 'files/b': '' })
  expect(await keyOf(there)).not.toBe(first)
})

test('another imgfile, from anywhere', async () => {
  const { img, root } = project()
  writeFiles(root, { 'deep/other.ts': plainImgfile.replaceAll('install:a', 'install:b'), 'deep/files/a': '' })
  const { stdout } = await img(['ls', '--imgfile', 'other.ts'], { cwd: join(root, 'deep') })
  expect(stdout).toBe(`layer      state    size  built
install:b  missing  -     -
base:a     missing  -     -
`)
})
