import { first, testBadInputs } from '../rig/bad-inputs.ts'

const plan = ['plan']

testBadInputs({
  'a command without its argument': {
    args: ['export'],
    files: first('note()'),
    status: 2,
    stderr: 'error USAGE: missing required argument layer\n  hint run `img export --help`\n',
  },
  'an argument too many': {
    args: ['doctor', 'x'],
    files: {},
    status: 2,
    stderr:
      'error USAGE: too many arguments for doctor. Expected 0 arguments but got 1.\n  hint run `img doctor --help`\n',
  },
  'an option of another command': {
    args: ['ls', '--jobs'],
    files: first('note()'),
    status: 2,
    stderr: 'error USAGE: unknown option --jobs\n  hint run `img ls --help`\n',
  },
  'words for a number': {
    args: ['build', '--jobs', 'many'],
    files: first('note()'),
    status: 2,
    stderr: 'error USAGE: --jobs takes a number above 0, not many\n  hint img build --jobs 2\n',
  },
  'a firmware there is not': {
    args: ['test', 'role:x', '--firmware', 'efi'],
    files: first('note()'),
    status: 2,
    stderr: `error USAGE: --firmware takes bios or uefi, not efi
  hint write --firmware bios or --firmware uefi
  did you mean "uefi"?   known: bios, uefi
`,
  },
  'an acceleration there is not': {
    args: ['test', 'role:x'],
    files: first('note()'),
    env: { IMG_ACCEL: 'warp' },
    status: 2,
    stderr: `error USAGE: IMG_ACCEL is "warp"
  hint set it to kvm or tcg, or leave it out to have it tried
  known: kvm, tcg
`,
  },
  'a folder to export to that is not there': {
    args: ['export', 'role:x', 'nowhere/disk.raw'],
    files: first('note()'),
    status: 2,
    stderr: `error USAGE: there is no folder nowhere
  hint make it, or write the file elsewhere
`,
  },
  'an option behind the end of options': {
    args: ['show', '--', '--json'],
    files: first('note()'),
    status: 2,
    stderr:
      'error LAYER_UNKNOWN: there is no layer --json\n  hint run `img ls` for the list\n  known: role:x\n',
  },
  'a glob that matches nothing': {
    args: ['plan', 'rle:*'],
    files: first('note()'),
    status: 2,
    stderr:
      'error LAYER_UNKNOWN: no layer matches rle:*\n  hint run `img ls` for the list\n  known: role:x\n',
  },
  'an imgfile that is not there': {
    args: ['plan', '--imgfile', 'other.ts'],
    files: {},
    status: 2,
    stderr: 'error IMGFILE_NOT_FOUND: there is no file other.ts\n  hint check what --imgfile says\n',
  },
  'a folder for an imgfile': {
    args: ['plan', '--imgfile', '.'],
    files: first('note()'),
    status: 2,
    stderr: 'error IMGFILE_NOT_FOUND: there is no file .\n  hint check what --imgfile says\n',
  },
  'a time limit in words': {
    args: plan,
    files: first('note()'),
    env: { IMG_LOAD_TIMEOUT: 'soon' },
    status: 2,
    stderr: `error USAGE: IMG_LOAD_TIMEOUT is soon, not a number of seconds
  hint set it to a number above 0, or unset it for the default of 10
`,
  },
  'a project where there is one': {
    args: ['init'],
    files: first('note()'),
    status: 2,
    stderr: `error USAGE: imgfile.ts is already in ROOT
  in imgfile.ts
  hint choose an empty folder: img init my-images
`,
  },
  'a file of a format there is not': {
    args: ['export', 'role:x', 'disk.tiff'],
    files: first('note()'),
    status: 2,
    stderr: `error USAGE: there is no disk format for .tiff
  found disk.tiff
  hint end the file name in one of .raw, .img, .qcow2
  known: .raw, .img, .qcow2
`,
  },
})
