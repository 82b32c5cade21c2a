import { child, fifthLine, first, testBadInputs } from '../rig/bad-inputs.ts'

const plan = ['plan']

testBadInputs({
  'an imgfile without an export': {
    args: plan,
    files: { 'imgfile.ts': 'export const layers = []\n' },
    status: 2,
    stderr: `error IMGFILE_INVALID: imgfile.ts has no default export
  in imgfile.ts
  hint write export default defineImgfile({ layers: [ … ] })
`,
  },
  'an export that was not checked': {
    args: plan,
    files: { 'imgfile.ts': 'export default { layers: [] }\n' },
    status: 2,
    stderr: `error IMGFILE_INVALID: the default export of imgfile.ts is an object with layers, not what defineImgfile returns
  in imgfile.ts
  hint write export default defineImgfile({ layers: [ … ] })
`,
  },
  'a layer instead of layers': {
    args: plan,
    files: fifthLine('export default defineImgfile({ layers: base })'),
    status: 2,
    stderr: `error IMGFILE_INVALID: defineImgfile: layers must be an array of layers, got the layer base:a
  in imgfile.ts:5
  hint write layers: [ … ]
`,
  },
  'an unknown key of the imgfile': {
    args: plan,
    files: fifthLine('export default defineImgfile({ layers: [base], target: [] })'),
    status: 2,
    stderr: `error IMGFILE_INVALID: defineImgfile: unknown option target
  in imgfile.ts:5
  hint did you mean targets?
`,
  },
  'an unknown key of a layer': {
    args: plan,
    files: fifthLine(`layer('role:x', note(), { form: base })`),
    status: 2,
    stderr: `error IMGFILE_INVALID: layer role:x: unknown option form
  in imgfile.ts:5
  hint did you mean from?
`,
  },
  'an unknown option of a recipe': {
    args: plan,
    files: child(`apt({ suite: 'trixie', instal: ['hello'] })`),
    status: 2,
    stderr: `error OPTION_INVALID: apt: unknown option "instal"
  in imgfile.ts:5
  hint did you mean install?
`,
  },
  'a module that is not there': {
    args: plan,
    files: { 'imgfile.ts': `import { sites } from './sites.ts'\nexport default sites\n` },
    status: 2,
    stderr: `error IMGFILE_INVALID: imgfile.ts imports ./sites.ts, which is not there
  in imgfile.ts:1
  found import { sites } from './sites.ts'
  hint check the path and its extension
`,
  },
  'a package that is not installed': {
    args: plan,
    files: { 'imgfile.ts': `import pad from 'left-pad'\nexport default pad\n` },
    status: 2,
    stderr: `error IMGFILE_INVALID: imgfile.ts imports left-pad, which is not there
  in imgfile.ts:1
  found import pad from 'left-pad'
  hint run \`npm install left-pad\`
`,
  },
  'a promise that is refused': {
    args: plan,
    files: { 'imgfile.ts': `await Promise.reject(new Error('no site'))\n` },
    status: 2,
    stderr: `error IMGFILE_THREW: imgfile.ts threw no site
  in imgfile.ts:1
  found await Promise.reject(new Error('no site'))
  hint this came from the imgfile or what it imports, while it was loaded
`,
  },
  'a name that is no layer name': {
    args: plan,
    files: fifthLine(`layer('Base A', note())`),
    status: 2,
    stderr: `error IMGFILE_INVALID: "Base A" is not a layer name
  in imgfile.ts:5
  wanted kind:name, both of a-z 0-9 . _ - and starting with a letter or digit
  hint write kind:name, for example role:ceph-node
`,
  },
  'text for a recipe': {
    args: plan,
    files: first(`'apt'`),
    status: 2,
    stderr: `error IMGFILE_INVALID: layer role:x: the recipe is the string "apt", not a recipe
  in imgfile.ts:5
  hint use one from imgfile/recipes
`,
  },
  'a recipe without the parent it changes': {
    args: plan,
    files: first(`apt({ suite: 'trixie', install: ['hello'] })`),
    status: 2,
    stderr: `error IMGFILE_INVALID: layer role:x: apt changes the disk of a parent, and there is none
  in imgfile.ts:5
  hint add { from: parent } as third argument
`,
  },
  'a parent below a new disk': {
    args: plan,
    files: child(`bootstrap({ suite: 'trixie', preseed: 'answers.cfg', disk: '4G' })`),
    status: 2,
    stderr: `error IMGFILE_INVALID: layer role:x: bootstrap begins a disk, so the layer cannot have a parent
  in imgfile.ts:5
  hint remove from: base:a
`,
  },
  'a size that is none': {
    args: plan,
    files: first(`bootstrap({ suite: 'trixie', preseed: 'answers.cfg', disk: '4X' })`),
    status: 2,
    stderr: `error OPTION_INVALID: bootstrap: "disk" is "4X", not a size such as '4G' or '900M'
  in imgfile.ts:5
  hint correct disk
`,
  },
})
