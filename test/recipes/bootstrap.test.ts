import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { bootstrap, type BootstrapOptions } from '../../recipes/bootstrap.ts'
import { defaultTools } from '../../recipes/tools.ts'
import { ImgError } from '../../tasks/errors.ts'
import type { StepOf } from '../../tasks/plan/step.ts'
import { factsOf } from './facts.ts'

const options: BootstrapOptions = { suite: 'trixie', preseed: 'answers.cfg', disk: '4G' }
const others = 'd-i passwd/root-login boolean false\nd-i passwd/make-user boolean false\n'

test.each(['trixie', 'bookworm'])('the steps of preseed/%s.cfg', (suite) => {
  const path = `preseed/${suite}.cfg`
  const recipe = bootstrap({ ...options, suite, preseed: path })
  const facts = factsOf(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'), path)
  expect(recipe.warnings?.(facts)).toEqual([])
  expect(recipe.steps(facts)).toMatchSnapshot()
})

test('what the layer can boot by is what the partitions can', () => {
  const path = 'preseed/trixie.cfg'
  const text = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
  const withoutEfi = text.replace(/ +128 128 128 free[^.]*\.[^\n]*\n/, '')
  const steps = (firmware?: 'bios' | 'uefi'): unknown =>
    bootstrap({ ...options, preseed: path, ...(firmware === undefined ? {} : { firmware }) }).steps(
      factsOf(withoutEfi, path),
    )
  expect(steps('bios')).toEqual(expect.any(Array))
  for (const firmware of [undefined, 'uefi'] as const) {
    expect(() => steps(firmware)).toThrow(
      expect.objectContaining({
        code: 'OPTION_INVALID',
        message: 'bootstrap: the partitions of preseed/trixie.cfg have none to boot by UEFI',
        fields: { hint: "add one with method{ efi }, or write firmware: 'bios'", path },
      }),
    )
  }
})

test('what the engine reads of the recipe', () => {
  expect(bootstrap({ ...options, components: ['main', 'contrib'], updates: false })).toEqual({
    gives: {
      debian: { suite: 'trixie', components: ['main', 'contrib'], updates: false, security: true },
      grows: true,
      bios: true,
      uefi: true,
    },
    name: 'bootstrap',
    mode: 'chroot',
    parent: 'none',
    inputs: {
      preseed: { kind: 'text', path: 'answers.cfg' },
      apt: {
        kind: 'apt',
        suite: 'trixie',
        components: ['main', 'contrib'],
        updates: false,
        security: true,
      },
    },
    tools: defaultTools,
    weight: { memory: 1024 },
    steps: expect.any(Function),
    warnings: expect.any(Function),
  })
})

test('the steps depend on nothing but options and text', () => {
  const [first, second] = [1, 2].map(() => bootstrap(options).steps(factsOf(others)))
  expect(first).toEqual(second)
})

test('an option goes over the answer file', () => {
  const uuid = '00000000-0000-4000-8000-000000000001'
  const steps = bootstrap({ ...options, hostname: 'web', uuids: { root: uuid } }).steps(factsOf(others))
  const written = (path: string): string =>
    steps.find((step): step is StepOf<'write'> => step.do === 'write' && step.path === path)?.content ?? ''
  expect(written('/etc/hostname')).toBe('web\n')
  expect(written('/etc/fstab')).toContain(`UUID=${uuid} / ext4 errors=remount-ro,x-systemd.growfs 0 1\n`)
})

test('tasks bring what they recommend', () => {
  const answers = `${others}d-i base-installer/install-recommends boolean false
tasksel tasksel/first multiselect ssh-server`
  expect(bootstrap(options).steps(factsOf(answers))[1]).toEqual({
    do: 'apt',
    apt: 'apt',
    install: ['task-ssh-server'],
    remove: [],
    recommends: true,
  })
})

test('warnings have a place', () => {
  const recipe = bootstrap({ ...options, components: ['main', 'contrib'] })
  expect(recipe.warnings?.(factsOf(`${others}d-i clock-setup/ntp boolean true\n`))).toEqual([
    {
      text: 'the disk has 4291 MB, the recipe needs 9269 MB; small_disk is used, as by the installer',
      hint: 'choose small_disk, or a larger disk',
      path: 'answers.cfg',
    },
    {
      text: 'packages may be installed from contrib, but the image will get no updates from there',
      hint: 'set apt-setup/contrib to true, or remove contrib from components in the imgfile',
      path: 'answers.cfg',
    },
    {
      text: 'clock-setup/ntp has no effect, since no installer is booted',
      hint: 'nothing to do',
      path: 'answers.cfg',
      line: 3,
    },
  ])
})

describe('answer files that are refused', () => {
  const cases: readonly [answers: string, change: Partial<BootstrapOptions>, error: unknown][] = [
    [
      'd-i passwd/usrname string x',
      {},
      {
        code: 'PRESEED_INVALID',
        message: 'the installer has no question "passwd/usrname"',
        fields: { hint: 'did you mean passwd/username?', path: 'answers.cfg', line: 3 },
      },
    ],
    [
      'd-i mirror/suite string bookworm',
      {},
      {
        code: 'PRESEED_INVALID',
        message: 'mirror/suite is bookworm but the recipe bootstrap installs trixie',
        fields: {
          hint: "write trixie here, or suite: 'bookworm' in the imgfile",
          path: 'answers.cfg',
          line: 3,
        },
      },
    ],
    [
      'd-i apt-setup/services-select multiselect updates',
      {},
      {
        code: 'PRESEED_INVALID',
        message:
          'apt-setup/services-select does not select security, but the recipe bootstrap does install from it',
        fields: {
          hint: 'write security: false in the imgfile, or add security here',
          path: 'answers.cfg',
          line: 3,
        },
      },
    ],
    [
      '',
      { updates: false },
      {
        code: 'PRESEED_INVALID',
        message:
          'apt-setup/services-select selects updates, but the recipe bootstrap does not install from it',
        fields: { hint: 'write updates: true in the imgfile, or remove updates here', path: 'answers.cfg' },
      },
    ],
    [
      'd-i apt-setup/contrib boolean true',
      {},
      {
        code: 'PRESEED_INVALID',
        message:
          'the image is to use contrib, but the recipe bootstrap installs from main, non-free-firmware only',
        fields: {
          hint: "write components: ['main', 'non-free-firmware', 'contrib'] in the imgfile",
          path: 'answers.cfg',
          line: 3,
        },
      },
    ],
    [
      'd-i partman-auto/method string lvm\nd-i time/zone string a b',
      {},
      {
        code: 'PRESEED_INVALID',
        message: `2 errors in the answer file:
  line 3: partitioning by "lvm" is not supported (write regular: LVM, encryption and RAID are set up on the machine an image is written to)
  line 4: "a b" is no time zone (write a path below /usr/share/zoneinfo, like Europe/Oslo)`,
        fields: { hint: 'correct them in the file', path: 'answers.cfg', line: 3 },
      },
    ],
    [
      '',
      { uuids: { rot: '00000000-0000-4000-8000-000000000001' } },
      {
        code: 'OPTION_INVALID',
        message: 'bootstrap: uuids names the partition "rot"',
        fields: { hint: 'did you mean root?' },
      },
    ],
  ]
  test.each(cases)('%j with %j', (answers, change, error) => {
    const recipe = bootstrap({ ...options, ...change })
    expect(thrownBy(() => recipe.steps(factsOf(`${others}${answers}\n`)))).toEqual(error)
  })
})

describe('options that are refused', () => {
  const cases: readonly [given: unknown, message: string, hint: string][] = [
    [{ ...options, sutie: 'x' }, 'bootstrap: unknown option "sutie"', 'did you mean suite?'],
    [
      { suite: 'trixie', disk: '4G' },
      'bootstrap: the option "preseed" is missing',
      'write bootstrap({ preseed: … })',
    ],
    [
      { ...options, suite: 'Debian 13' },
      'bootstrap: "suite" is "Debian 13", not the name of a release',
      'correct suite',
    ],
    [{ ...options, preseed: 1 }, 'bootstrap: "preseed" is 1, not text', 'correct preseed'],
    [
      { ...options, disk: '4GB' },
      `bootstrap: "disk" is "4GB", not a size such as '4G' or '900M'`,
      'correct disk',
    ],
    [{ ...options, hostname: 'a.b' }, 'bootstrap: "hostname" is "a.b", not a host name', 'correct hostname'],
    [
      { ...options, components: ['main', 'Contrib'] },
      'bootstrap: "components" is ["main","Contrib"], whose item 1 is "Contrib", not the name of an archive area',
      'correct components',
    ],
    [{ ...options, security: 'no' }, 'bootstrap: "security" is "no", not true or false', 'correct security'],
    [
      { ...options, uuids: { root: 'x' } },
      'bootstrap: "uuids" is {"root":"x"}, where "x" is no UUID as blkid prints it',
      'correct uuids',
    ],
    [
      { ...options, tools: 'tools:trixie' },
      'bootstrap: "tools" is "tools:trixie", not a layer',
      'correct tools',
    ],
    [
      'trixie',
      'bootstrap: the options are "trixie", not an object',
      'write bootstrap({ suite, preseed, disk, hostname, components, updates, security, uuids, firmware, tools })',
    ],
  ]
  test.each(cases)('%j', (given, message, hint) => {
    const error = thrownBy(() => bootstrap(given as BootstrapOptions))
    expect(error).toMatchObject({ code: 'OPTION_INVALID', message, fields: { hint } })
    expect(error.fields).toMatchObject({ path: expect.stringMatching(/bootstrap\.test\.ts$/) })
  })
})

function thrownBy(run: () => unknown): Pick<ImgError, 'code' | 'message' | 'fields'> {
  try {
    run()
  } catch (error) {
    if (error instanceof ImgError) return { code: error.code, message: error.message, fields: error.fields }
    throw error
  }
  throw new Error('nothing was thrown')
}
