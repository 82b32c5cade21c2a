// A machine on which nothing can be built: one clear error, the exit status of the environment or the cache, nothing half.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runProgram } from '../../../tasks/run/process.ts'
import { stored, wholeError } from '../../rig/bad-inputs.ts'
import { tempFolder } from '../../rig/temp-folder.ts'
import { canRun, openBuildProject, type BuildProject } from './project.ts'

/** Runs the shell line in mount namespaces of its own, then `img` in them; `check` is run after it, there too. */
const inMounts = (line: string, check = ':'): readonly string[] => [
  'unshare',
  '--mount',
  'sh',
  '-euc',
  `${line}; set +e; "$@"; code=$?; ${check} >&2; exit $code`,
  'sh',
]

describe.runIf(canRun)('a build', () => {
  test('without a program it needs says which package has it', async () => {
    const { status, stderr } = await build(() => inMounts('mount --bind /dev/null /usr/bin/mmdebstrap'))
    expect({ status, stderr }).toEqual({
      status: 3,
      stderr: `error TOOL_MISSING: not installed: mmdebstrap (needed to install Debian and Ubuntu)
  hint run \`apt-get install --yes --no-install-recommends mmdebstrap\`, or add --yes
  known: mmdebstrap
`,
    })
  })

  test('in a cache it may not write says where', async () => {
    const { status, stderr } = await build((cache) => inMounts(`mount -t tmpfs -o ro none ${cache}`))
    expect({ status, stderr }).toEqual({
      status: 4,
      stderr: `error CACHE_UNWRITABLE: cannot write to CACHE while opening the cache: EROFS: read-only file system, open 'CACHE/format.UUID'
  in CACHE
  hint make the folder writable for this user, or set IMG_CACHE_DIR to another one
`,
    })
  })

  test.each([
    [
      8,
      /^error DISK_FULL: no space left for packages in CACHE\/mirror\n  hint free some space with `img cache gc`, or set IMG_CACHE_DIR to a folder on a larger disk\n$/,
    ],
    [
      40,
      /^error DISK_FULL: layer tools:trixie: no space left for mmdebstrap trixie\n  in CACHE\/work\/UUID\/[^\n]+\n  hint free space, run `img cache gc`, or set IMG_CACHE_DIR to a larger filesystem\n  last output\n(?:    \| .*\n)+$/,
    ],
  ])('on a filesystem of %i MiB says that it is full', async (mebibytes, message) => {
    const image = join(tempFolder(), 'small.img')
    await runProgram(['truncate', '-s', `${mebibytes}M`, image])
    await runProgram(['mkfs.ext4', '-q', image])
    const mounted = (cache: string): readonly string[] =>
      inMounts(
        `mount -o loop ${image} ${cache}`,
        `cd ${cache}; find . -path './work/*' -o -path './tmp/*' -o -path './mirror/tmp/*'`,
      )
    const { status, stderr, project } = await build(mounted)
    expect(status).toBe(3)
    expect(stderr.replaceAll(/w-[0-9a-f-]{36}/g, 'UUID')).toMatch(message)
    expect(stored(project.cacheDir)).toEqual([])
  })
})

async function build(enter: (cache: string) => readonly string[]): Promise<{
  readonly status: number | string
  readonly stderr: string
  readonly project: BuildProject
}> {
  const cacheDir = join(tempFolder(), 'cache')
  mkdirSync(cacheDir)
  const project = openBuildProject('')
  try {
    const { status, stderr } = await project.img(['build', '--quiet', '--cache-dir', cacheDir], {
      enter: enter(cacheDir),
    })
    const said = stderr.replaceAll(cacheDir, 'CACHE').replaceAll(/\.[0-9a-f-]{36}/g, '.UUID')
    return { status, stderr: wholeError(said), project: { ...project, cacheDir } }
  } finally {
    project.close()
  }
}
