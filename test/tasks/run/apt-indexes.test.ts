import { describe, expect, test } from 'vitest'
import { checkComponents, debianArchitecture, packageListsOf } from '../../../tasks/run/apt-indexes.ts'
import type { Release } from '../../../tasks/run/apt-release.ts'

const arch = debianArchitecture()
const releaseWith = (paths: readonly string[], listsAll = false): Release => ({
  suite: 'stable',
  codename: 'trixie',
  date: 0,
  validUntil: undefined,
  byHash: true,
  listsAll,
  indexes: new Map(paths.map((path) => [path, { sha256: `digest of ${path}`, size: 1 }])),
})
const listed = (release: Release, components: readonly string[]): readonly string[] =>
  Object.keys(packageListsOf(release, components))

describe('packageListsOf', () => {
  const all = ['', '.gz', '.xz'].map((end) => `main/binary-${arch}/Packages${end}`)

  test('packed by gzip, else by xz, else plain', () => {
    expect(packageListsOf(releaseWith(all), ['main'])).toEqual({
      [`main/binary-${arch}/Packages.gz`]: `digest of main/binary-${arch}/Packages.gz`,
    })
    const withoutGz = all.filter((path) => !path.endsWith('.gz'))
    expect(listed(releaseWith(withoutGz), ['main'])).toEqual([`main/binary-${arch}/Packages.xz`])
    expect(listed(releaseWith(all.slice(0, 1)), ['main'])).toEqual([`main/binary-${arch}/Packages`])
  })

  test('of the components asked for that are there', () => {
    const release = releaseWith([`main/binary-${arch}/Packages.xz`, `contrib/binary-${arch}/Packages.xz`])
    expect(listed(release, ['contrib', 'non-free'])).toEqual([`contrib/binary-${arch}/Packages.xz`])
    expect(listed(release, [])).toEqual([])
  })

  test('of "all" only where apt would read them', () => {
    const paths = [
      `main/binary-${arch}/Packages.xz`,
      'main/binary-all/Packages.xz',
      'main/binary-zx81/Packages.xz',
    ]
    expect(listed(releaseWith(paths), ['main'])).toEqual(paths.slice(0, 1))
    expect(listed(releaseWith(paths, true), ['main'])).toEqual(paths.slice(0, 2))
  })
})

test('checkComponents names the missing one and those that exist', () => {
  const release = releaseWith([
    'main/binary-amd64/Packages.xz',
    'contrib/binary-amd64/Packages.xz',
    'main/i18n/Translation-en.xz',
    'Contents-amd64.gz',
  ])
  expect(() => checkComponents(release, ['main', 'contrib'])).not.toThrow()
  expect(() => checkComponents(release, ['main', 'mian'])).toThrow(
    expect.objectContaining({
      code: 'INPUT_INVALID',
      message: 'trixie has no component mian',
      fields: {
        validOptions: ['contrib', 'main'],
        hint: 'correct the component in the imgfile or the preseed file',
      },
    }),
  )
})
