import { describe, expect, test } from 'vitest'
import type { RunContext } from '../../../tasks/context.ts'
import { discoverMirrors, mirrorsOfTargets, withoutCredentials } from '../../../tasks/run/apt-mirrors.ts'

const contextWith = (env: RunContext['env']): RunContext => ({
  root: '/nonexistent',
  env,
  cacheDir: '/nonexistent',
  now: () => 0,
  signal: new AbortController().signal,
  emit: () => undefined,
  uid: 0,
  yes: false,
})

describe('environment', () => {
  test('IMG_MIRROR and IMG_SECURITY_MIRROR decide, without their final slash', async () => {
    const env = {
      IMG_MIRROR: 'http://mirror.example.org/debian/',
      IMG_SECURITY_MIRROR: 'https://me:secret@mirror.example.org/security//',
    }
    expect(await discoverMirrors(contextWith(env))).toEqual({
      debian: 'http://mirror.example.org/debian',
      'debian-security': 'https://me:secret@mirror.example.org/security',
      ubuntu: 'http://mirror.example.org/debian',
    })
  })

  test('what they do not say is found, and always something http', async () => {
    const found = await discoverMirrors(contextWith({ IMG_MIRROR: 'http://mirror.example.org/debian' }))
    expect(found['debian-security']).toMatch(/^https?:\/\/.*[^/]$/)
  })

  test.each(['ftp://mirror.example.org/debian', 'mirror.example.org/debian', '/srv/mirror', 'http://'])(
    '%s is refused',
    async (value) => {
      await expect(discoverMirrors(contextWith({ IMG_MIRROR: value }))).rejects.toMatchObject({
        code: 'OPTION_INVALID',
        message: `IMG_MIRROR is not an http or https URL: ${value}`,
        fields: {
          hint: 'set it to the URL above dists/ and pool/, such as http://mirror.example.org/debian',
        },
      })
    },
  )

  test('a refused one shows no password', async () => {
    const refusal = discoverMirrors(
      contextWith({ IMG_SECURITY_MIRROR: 'ftp://me:secret@mirror.example.org/' }),
    )
    await expect(refusal).rejects.toMatchObject({
      message: 'IMG_SECURITY_MIRROR is not an http or https URL: ftp://mirror.example.org/',
    })
  })
})

describe("apt's own sources", () => {
  test.each([
    [
      'a Debian host after its first update',
      [
        'http://a.example.org/debian/|bookworm|main|Debian|Debian',
        'http://a.example.org/debian/|bookworm-updates|main|Debian|Debian',
        'http://a.example.org/debian-security/|bookworm-security|main|Debian|Debian-Security',
      ],
      { debian: 'http://a.example.org/debian', 'debian-security': 'http://a.example.org/debian-security' },
    ],
    [
      'before it, apt leaves the fields as they are',
      [
        'http://a.example.org/debian/|bookworm|main|$(ORIGIN)|$(LABEL)',
        'http://b.example.org/security/|bookworm-security|main|$(ORIGIN)|$(LABEL)',
        'http://c.example.org/security/|buster/updates|updates/main||',
      ],
      { debian: 'http://a.example.org/debian', 'debian-security': 'http://b.example.org/security' },
    ],
    [
      'an Ubuntu host',
      ['http://u.example.org/ubuntu/|noble|main|Ubuntu|Ubuntu'],
      { ubuntu: 'http://u.example.org/ubuntu' },
    ],
    [
      'an Ubuntu host before its first update',
      ['http://u.example.org/ubuntu/|noble-security|main||'],
      { ubuntu: 'http://u.example.org/ubuntu' },
    ],
    [
      'backports come from the same archive',
      [
        'http://a.example.org/debian/|bookworm-backports|main|Debian Backports|',
        'http://b.example.org/debian/|bookworm-backports|main|Debian|Debian Backports',
      ],
      { debian: 'http://b.example.org/debian' },
    ],
    [
      'third parties',
      [
        'https://third.example.org/linux/debian/|bookworm|stable|Docker|Docker CE',
        'https://third.example.org/linux/debian/|bookworm|stable||',
        'https://deb.example.org/node_20.x/|nodistro|main||',
      ],
      {},
    ],
    [
      'what http cannot fetch',
      ['file:/srv/debian/|bookworm|main|Debian|Debian', 'cdrom:[x]/|bookworm|main|Debian|Debian'],
      {},
    ],
    [
      'the first source wins',
      [
        'http://a.example.org/debian/|trixie|main|Debian|Debian',
        'http://b.example.org/debian/|trixie|main|Debian|Debian',
      ],
      { debian: 'http://a.example.org/debian' },
    ],
    ['no apt at all', [''], {}],
  ])('%s', (_, lines, expected) => {
    expect(mirrorsOfTargets(lines.join('\n'))).toEqual(expected)
  })
})

test('withoutCredentials', () => {
  expect(withoutCredentials('https://me:secret@mirror.example.org/debian')).toBe(
    'https://mirror.example.org/debian',
  )
  expect(withoutCredentials('http://mirror.example.org/a@b')).toBe('http://mirror.example.org/a@b')
})
