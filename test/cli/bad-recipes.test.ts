import { child, first, testBadInputs } from '../rig/bad-inputs.ts'

const plan = ['plan']

const step = (text: string): Record<string, string> => first(`note({ steps: () => [${text}] })`)

testBadInputs({
  'an empty command': {
    args: plan,
    files: child(`run('')`),
    status: 2,
    stderr: `error OPTION_INVALID: run: the command is "", not text or a list of texts
  in imgfile.ts:5
  hint write run('systemctl mask apt-daily.timer') or run(['systemctl', 'mask', 'apt-daily.timer'])
`,
  },
  'a user name that is none': {
    args: plan,
    files: child(`users([{ name: 'Bad Name' }])`),
    status: 2,
    stderr: `error OPTION_INVALID: users: "name" is "Bad Name", no user name
  in imgfile.ts:5
  hint correct name
`,
  },
  'a user twice': {
    args: plan,
    files: child(`users([{ name: 'ops' }, { name: 'ops' }])`),
    status: 2,
    stderr: `error OPTION_INVALID: users: "ops" is listed twice
  in imgfile.ts:5
  hint remove one of them
`,
  },
  'a host name with a space': {
    args: plan,
    files: child(`hostname('a b')`),
    status: 2,
    stderr: `error OPTION_INVALID: hostname: "a b" is no host name
  in imgfile.ts:5
  hint use letters, digits and -, at most 63; the domain goes into { domain }
`,
  },
  'text for a function': {
    args: plan,
    files: child(`script('true')`),
    status: 2,
    stderr: `error OPTION_INVALID: script: the first argument is a string, not a function
  in imgfile.ts:5
  hint write script(async ($) => { await $\`…\` })
`,
  },
  'a mode that is none': {
    args: plan,
    files: step(`{ do: 'write', path: '/a', content: '', mode: '644' }`),
    status: 2,
    stderr: `error OPTION_INVALID: layer role:x: step 1 of note (write): mode is "644", not four octal digits as text
  in imgfile.ts:5
  hint for example "0644"
`,
  },
  'a relative path in the image': {
    args: plan,
    files: step(`{ do: 'write', path: 'etc/a', content: '', mode: '0644' }`),
    status: 2,
    stderr: `error OPTION_INVALID: layer role:x: step 1 of note (write): path is "etc/a", which is not absolute
  in imgfile.ts:5
  hint for example "/etc/a"
`,
  },
  'an unknown step': {
    args: plan,
    files: step(`{ do: 'wrte' }`),
    status: 2,
    stderr: `error OPTION_INVALID: layer role:x: step 1 of note: there is no step "wrte"
  in imgfile.ts:5
  hint did you mean write?
`,
  },
  'a recipe that throws': {
    args: plan,
    files: first(`note({ steps: () => { throw new Error('no steps') } })`),
    status: 2,
    stderr: `error IMGFILE_INVALID: layer role:x: recipe note failed: no steps
  in imgfile.ts:5
  hint this is a mistake in the recipe, not in a build
`,
  },
  'a recipe whose steps are a promise': {
    args: plan,
    files: first('note({ steps: async () => [] })'),
    status: 2,
    stderr: `error IMGFILE_INVALID: layer role:x: recipe note returned no array of steps
  in imgfile.ts:5
  hint steps() returns an array
`,
  },
})
