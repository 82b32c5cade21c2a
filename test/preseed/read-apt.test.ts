import { expect, test } from 'vitest'
import { readPreseed } from '../../preseed/read-preseed.ts'

const others = 'd-i passwd/root-login boolean false\nd-i passwd/make-user boolean false\n'

const table: readonly [answers: string, said: readonly string[]][] = [
  ['d-i mirror/protocol string ftp', ['error 3: mirrors are not reached by "ftp" -> use http or https']],
  [
    'd-i mirror/http/hostname string "a b"',
    ['error 3: "http://"a b"/debian" is no mirror address -> write host name and directory without protocol'],
  ],
  [
    'd-i apt-setup/services-select multiselect security, volatile',
    ['error 3: there is no update service "volatile" -> choose from security, updates and backports'],
  ],
  [
    'd-i apt-setup/use_mirror boolean false',
    ['error 3: an image without a mirror is not supported -> remove the line'],
  ],
  [
    'd-i apt-setup/local0/repository string https://repo.example.org/debian stable main',
    [
      'error 3: apt-setup/local0/repository has no key, so apt would refuse it -> add apt-setup/local0/key string base64://… (base64 -w0 of the key file)',
    ],
  ],
  [
    'd-i apt-setup/local0/repository string https://repo.example.org/debian stable main\nd-i apt-setup/local0/key string https://repo.example.org/key.asc',
    [
      'error 4: apt-setup/local0/key is not in the file, and what an address serves may change -> put the key into the line itself: base64://… with the output of base64 -w0 KEYFILE',
    ],
  ],
  [
    'd-i apt-setup/local0/repository string stable main\nd-i apt-setup/local0/options string trusted=yes',
    ['error 3: "stable main" is no repository -> write it like: https://repo.example.org/debian stable main'],
  ],
  [
    'd-i apt-setup/local1/repository string https://repo.example.org/debian stable main\nd-i apt-setup/local1/options string trusted=yes',
    [
      'error 3: apt-setup/local1 comes after a number without repository, where the installer stops reading -> number the repositories from local0 without gaps',
    ],
  ],
]

test.each(table)('what is said of %j', (answers, said) => {
  const found = readPreseed(`${others}${answers}\n`).findings
  expect(found.map((one) => `${one.severity} ${one.line}: ${one.message} -> ${one.hint}`)).toEqual(said)
})

const read = (answers: string): unknown => readPreseed(`${others}${answers}\n`).settings.apt

test('everything a mirror has', () => {
  const answers = `d-i mirror/protocol string https
d-i mirror/https/hostname string mirror.example.org
d-i mirror/https/directory string /pub/debian/
d-i mirror/https/proxy string http://proxy.example.org:3128
d-i mirror/suite string trixie
d-i apt-setup/services-select multiselect backports
d-i apt-setup/non-free boolean true
d-i apt-setup/enable-source-repositories boolean false`
  expect(read(answers)).toEqual({
    mirror: 'https://mirror.example.org/pub/debian',
    securityMirror: 'http://security.debian.org/debian-security',
    suite: { name: 'trixie', line: 7 },
    proxy: { protocol: 'https', url: 'http://proxy.example.org:3128' },
    components: ['main', 'contrib', 'non-free'],
    componentLines: { contrib: 9, 'non-free': 9 },
    sources: false,
    updates: false,
    security: false,
    backports: true,
    servicesLine: 8,
    local: [],
  })
})

test('a repository with its key in the file', () => {
  const key = Buffer.from('-----BEGIN PGP PUBLIC KEY BLOCK-----\n').toString('base64')
  const answers = `d-i apt-setup/local0/repository string deb https://repo.example.org/debian ./
d-i apt-setup/local0/comment string local server
d-i apt-setup/local0/source boolean true
d-i apt-setup/local0/options string arch=amd64
d-i apt-setup/local0/key string base64://${key}`
  expect(read(answers)).toMatchObject({
    local: [
      {
        name: 'local_server',
        comment: 'local server',
        uri: 'https://repo.example.org/debian',
        suite: './',
        components: [],
        sources: true,
        options: ['arch=amd64'],
        key,
        armoured: true,
      },
    ],
  })
})
