import { child, first, testBadInputs } from '../rig/bad-inputs.ts'

const plan = ['plan']

const digest = '0'.repeat(64)
const suite = { date: '2026-09-12T07:55:41Z', inRelease: digest, indexes: {} }
const others = {
  debian: { 'trixie-updates': suite },
  'debian-security': { 'trixie-security': suite },
}
const lockOf = (apt: object): string => JSON.stringify({ apt, version: 1 })
const lock = lockOf({ ...others, debian: { ...others.debian, trixie: suite } })
const preseed = (text: string): Record<string, string> => ({
  ...first(`bootstrap({ suite: 'trixie', preseed: 'answers.cfg', disk: '4G' })`),
  'answers.cfg': `${text}d-i passwd/root-login boolean false\nd-i passwd/make-user boolean false\n`,
  'imgfile.lock': lock,
})
const hello = child(`apt({ suite: 'trixie', install: ['hello'] })`)
const nowhere = 'http://127.0.0.1:9/debian'

testBadInputs({
  'a folder of files that is not there': {
    args: plan,
    files: { ...child(`files({ from: 'overlay', to: '/etc' })`), 'imgfile.lock': lock },
    status: 2,
    stderr: `error INPUT_MISSING: there is no folder overlay
  in overlay
  hint check the base, relative to the imgfile
`,
  },
  'a control repository that is not there': {
    args: plan,
    files: {
      ...child(`puppet({ environment: 'puppet', role: 'web', suite: 'trixie' })`),
      'imgfile.lock': lock,
    },
    status: 2,
    stderr: `error INPUT_MISSING: there is no folder puppet
  in puppet
  hint check the base, relative to the imgfile
`,
  },
  'an answer file that is not there': {
    args: plan,
    files: {
      ...first(`bootstrap({ suite: 'trixie', preseed: 'answers.cfg', disk: '4G' })`),
      'imgfile.lock': lock,
    },
    status: 2,
    stderr: `error INPUT_MISSING: there is no file answers.cfg
  in answers.cfg
  hint check the path, relative to the imgfile
`,
  },
  'an unknown key of an answer file': {
    args: plan,
    files: preseed('d-i netcfg/get_hostnam string web\n'),
    status: 2,
    stderr: `error PRESEED_INVALID: the installer has no question "netcfg/get_hostnam"
  in answers.cfg:1
  layer role:x
  hint did you mean netcfg/get_hostname?
`,
  },
  'an answer nobody honours': {
    args: plan,
    files: preseed('d-i partman-auto/method string lvm\n'),
    status: 2,
    stderr: `error PRESEED_INVALID: partitioning by "lvm" is not supported
  in answers.cfg:1
  layer role:x
  hint write regular: LVM, encryption and RAID are set up on the machine an image is written to
`,
  },
  'a host name no machine can have': {
    args: plan,
    files: preseed('d-i netcfg/get_hostname string a_b\n'),
    status: 2,
    stderr: `error PRESEED_INVALID: "a_b" is no host name
  in answers.cfg:1
  layer role:x
  hint use letters, digits and -, at most 63
`,
  },
  'a line that is no answer': {
    args: plan,
    files: preseed('d-i netcfg/get_hostname\n'),
    status: 2,
    stderr: `error PRESEED_INVALID: "d-i netcfg/get_hostname" is not an answer
  in answers.cfg:1
  layer role:x
  hint write OWNER QUESTION TYPE VALUE, for example: d-i time/zone string Etc/UTC
`,
  },
  'a partition recipe that is none': {
    args: plan,
    files: preseed('d-i partman-auto/expert_recipe string x :: 1 2\n'),
    status: 2,
    stderr: `error PRESEED_INVALID: the recipe's last partition "1 2" has no end
  in answers.cfg:1
  layer role:x
  hint end it with " ."
`,
  },
  'a lock file that is no JSON': {
    args: plan,
    files: { ...hello, 'imgfile.lock': '{' },
    status: 2,
    stderr: `error INPUT_INVALID: imgfile.lock is not JSON
  in imgfile.lock
  hint restore it from version control, or remove it to pin the present state
`,
  },
  'a lock file in the middle of a merge': {
    args: plan,
    files: { ...hello, 'imgfile.lock': '<<<<<<< HEAD\n{}\n' },
    status: 2,
    stderr: `error INPUT_INVALID: imgfile.lock is not JSON
  in imgfile.lock:1
  hint take either side of the merge conflict, then run \`img update\`
`,
  },
  'a frozen lock without the state': {
    args: ['build', '--frozen'],
    files: hello,
    status: 3,
    stderr: `error LOCK_FROZEN: imgfile.lock has no state of trixie, and --frozen allows no new one
  in imgfile.lock
  hint run \`img build\` once without --frozen and commit imgfile.lock
`,
  },
  'a mirror that is down': {
    args: ['build'],
    files: { ...hello, 'imgfile.lock': lockOf(others) },
    env: { IMG_MIRROR: nowhere, IMG_SECURITY_MIRROR: nowhere },
    status: 3,
    stderr: `error MIRROR_UNREACHABLE: cannot read dists/trixie/InRelease from ${nowhere}: connect ECONNREFUSED 127.0.0.1:9
  hint check the network and http_proxy, or set IMG_MIRROR to a mirror this machine can reach
`,
  },
  'a mirror that is no URL': {
    args: ['build'],
    files: hello,
    env: { IMG_MIRROR: 'debian' },
    status: 2,
    stderr: `error OPTION_INVALID: IMG_MIRROR is not an http or https URL: debian
  hint set it to the URL above dists/ and pool/, such as http://mirror.example.org/debian
`,
  },
  'a cache of a newer version': {
    args: plan,
    files: first('note()'),
    cache: { format: 'img store 2\n' },
    status: 4,
    stderr: `error CACHE_NEWER: the cache in CACHE has format 2; this img reads 1
  in CACHE
  wanted 1
  hint update imgfile, or set IMG_CACHE_DIR to another folder
`,
  },
  'a folder that is no cache': {
    args: plan,
    files: first('note()'),
    cache: { format: 'something else\n' },
    status: 4,
    stderr: `error CACHE_DAMAGED: CACHE/format does not name a store format
  in CACHE/format
  wanted img store 1
  found something else
    
  hint move CACHE away, or set IMG_CACHE_DIR to another folder
`,
  },
  'a file for a cache': {
    args: ['plan', '--cache-dir', 'imgfile.ts'],
    files: first('note()'),
    status: 4,
    stderr: `error CACHE_UNWRITABLE: cannot write to ROOT/imgfile.ts while opening the cache: ENOTDIR: not a directory, open 'ROOT/imgfile.ts/format'
  in ROOT/imgfile.ts
  hint make the folder writable for this user, or set IMG_CACHE_DIR to another one
`,
  },
})
