import { describe, expect, test } from 'vitest'
import { plainImgfile, testProject } from '../rig/project.ts'

const files = { 'files/a': 'a' }

test('a command line that means nothing', async () => {
  expect(await testProject().img(['biuld'])).toEqual({
    status: 2,
    stdout: '',
    stderr: 'error USAGE: there is no command biuld\n  hint did you mean `img build`?\n',
  })
})

test('for programs the error is one line of JSON on stderr', async () => {
  const { status, stdout, stderr } = await testProject().img(['plan', '--json', '--what'])
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  expect(stderr).toMatch(/^[^\n]+\n$/)
  expect(JSON.parse(stderr)).toEqual({
    error: {
      code: 'USAGE',
      exitCode: 2,
      message: 'unknown option --what',
      hint: 'run `img plan --help`',
      found: '--what',
    },
  })
})

test.each(['build', 'plan', 'why', 'ls', 'show', 'log', 'graph'])(
  '%s without an imgfile',
  async (command) => {
    const project = testProject()
    const { status, stderr } = await project.img(
      ['why', 'show', 'log'].includes(command) ? [command, 'a:b'] : [command],
    )
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: `error IMGFILE_NOT_FOUND: no imgfile.ts in ${project.root} or any folder above it
  hint run \`img init\` to start a project here
`,
    })
  },
)

describe('an imgfile', () => {
  test.each<[string, string, string]>([
    [
      'that throws',
      '\nthrow new RangeError("no such site")\n',
      `error IMGFILE_THREW: imgfile.ts threw RangeError: no such site
  in imgfile.ts:2
  found throw new RangeError("no such site")
  hint this came from the imgfile or what it imports, while it was loaded
`,
    ],
    [
      'that ends the process',
      'process.exit(0)\n',
      `error IMGFILE_THREW: imgfile.ts called process.exit(0)
  in imgfile.ts
  hint throw an error instead, so that it says why
`,
    ],
    [
      'that names files that are not there',
      plainImgfile.replace(`'**'`, `'*.conf'`),
      `error INPUT_MISSING: no file matches *.conf in files
  in files
  hint check the pattern; it is relative to the base
`,
    ],
  ])('%s', async (_name, imgfile, expected) => {
    const { status, stdout, stderr } = await testProject({ ...files, 'imgfile.ts': imgfile }).img(['plan'])
    expect({ status, stdout, stderr }).toEqual({ status: 2, stdout: '', stderr: expected })
  })

  test('that does not parse', async () => {
    const project = testProject({ 'imgfile.ts': 'const a = 1\nconst b: = 2\n' })
    const { status, stdout, stderr } = await project.img(['plan'])
    // Which token was unexpected, each of the two parsers says in its own words.
    expect({ status, stdout, stderr: stderr.replace(/(Unexpected token).*/, '$1') }).toEqual({
      status: 2,
      stdout: '',
      stderr: `error IMGFILE_INVALID: imgfile.ts cannot be parsed: Unexpected token
  in imgfile.ts:2
  found const b: = 2
  hint correct the line and run the command again
`,
    })
  })

  test('that declares a layer twice', async () => {
    const imgfile = plainImgfile.replace('base:a', 'install:a')
    const { status, stderr } = await testProject({ ...files, 'imgfile.ts': imgfile }).img(['plan'])
    // Columns are those of the JavaScript that ran.
    expect({ status, stderr: stderr.replaceAll(/(:\d+):\d+/g, '$1') }).toEqual({
      status: 2,
      stderr: `error LAYER_DUPLICATE: two layers are called install:a: imgfile.ts:9 and imgfile.ts:10
  in imgfile.ts:10
  hint rename one, or declare it once and use the value twice
`,
    })
  })

  test('that awaits for ever', async () => {
    const project = testProject({ 'imgfile.ts': 'await new Promise(() => {})\n' })
    expect(await project.img(['plan'], { env: { IMG_LOAD_TIMEOUT: '0.3' } })).toEqual({
      status: 2,
      stdout: '',
      stderr: hung,
    })
  })

  test('that loops for ever is ended all the same', async () => {
    const project = testProject({ 'imgfile.ts': 'while (true);\n' })
    expect(await project.img(['plan'], { env: { IMG_LOAD_TIMEOUT: '4' } })).toEqual({
      status: 'SIGKILL',
      stdout: '',
      stderr: hung.replace('0.3 s', '4 s'),
    })
  })

  test('that was stopped meanwhile has all of its time left', async () => {
    const stops = `import { spawn } from 'node:child_process'
import { once } from 'node:events'
const script = 'kill -STOP $0; sleep 3; kill -CONT $0'
await once(spawn('sh', ['-c', script, String(process.pid)]), 'exit')
`
    const project = testProject({ ...files, 'imgfile.ts': stops + plainImgfile })
    const { status, stderr } = await project.img(['ls'], { env: { IMG_LOAD_TIMEOUT: '2' } })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })

  const hung = `error IMGFILE_HUNG: imgfile.ts was not loaded within 0.3 s
  in imgfile.ts
  hint look for an await that never ends or an endless loop; IMG_LOAD_TIMEOUT=60 allows it 60 seconds
`
})

test('a layer nobody declared', async () => {
  const project = testProject({ ...files, 'imgfile.ts': plainImgfile })
  expect(await project.img(['show', 'bse:a'])).toEqual({
    status: 2,
    stdout: '',
    stderr:
      'error LAYER_UNKNOWN: there is no layer bse:a\n  hint run `img ls` for the list\n  did you mean "base:a"?   known: install:a, base:a\n',
  })
})

test('a cache that cannot be written', async () => {
  const project = testProject({ ...files, 'imgfile.ts': plainImgfile, 'taken/file': '' })
  const { status, stderr } = await project.img(['plan', '--cache-dir', `${project.root}/taken/file`])
  expect({ status, first: stderr.split('\n')[0] }).toEqual({
    status: 4,
    first: expect.stringMatching(/^error CACHE_UNWRITABLE: /),
  })
})
