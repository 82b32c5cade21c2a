// A compiled catalog applied with a lent agent to an image that has no ruby, in a root as a backend makes it.

import { existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { puppetApply } from '../../../tasks/backends/puppet-apply.ts'
import { checkReport, type Locations } from '../../../tasks/backends/puppet-apply-report.ts'
import type { ImgError } from '../../../tasks/errors.ts'
import { runProgram } from '../../../tasks/run/process.ts'
import { type Change, resolve, valueOf } from './environment.ts'
import { canRun, makeTrees, type Trees } from './trees.ts'

describe.runIf(canRun)('an applied catalog', () => {
  let trees: Trees
  let image: string
  beforeAll(async () => {
    trees = await makeTrees()
    image = join(trees.folder, 'applied')
    // Device nodes are beyond fs.cp.
    const copied = await runProgram(['cp', '--archive', trees.image, image])
    if (copied.exitCode !== 0) throw new Error(copied.stderr)
  })
  afterAll(() => trees.remove())

  test('changes the image as the manifest says, and leaves nothing of the agent', async () => {
    const { report, locations, output } = await apply()
    const done = checkReport(report, { layer: 'role:web', locations, output })
    expect(done.status).toBe('changed')
    expect(done.changed.toSorted()).toEqual([
      'File[/etc/web.conf]',
      'File[/etc/web.d/a]',
      'File[/etc/web.d/sub/b]',
      'File[/etc/web.d/sub]',
      'File[/etc/web.d]',
      'File[/etc/web.release]',
      'File[/etc/web.rules]',
      'Img_line[/etc/web.line]',
      'Service[systemd-networkd]',
      'User[web]',
    ])
    const files = ['web.conf', 'web.rules', 'web.release', 'web.line', 'web.d/sub/b']
    expect(files.map((name) => readFileSync(join(image, 'etc', name), 'utf8'))).toEqual([
      'hello on 8080 for Debian web.invalid\n',
      'allow all\n',
      '13 DEFERRED',
      'of a provider of our own\n',
      'b\n',
    ])
    expect(lstatSync(join(image, 'etc/web.rules')).mode & 0o777).toBe(0o600)
    const enabled = 'etc/systemd/system/multi-user.target.wants/systemd-networkd.service'
    expect(lstatSync(join(image, enabled)).isSymbolicLink()).toBe(true)
    expect(readFileSync(join(image, 'etc/passwd'), 'utf8')).toMatch(/^web:/m)
    const homes = ['etc/puppet', 'var/lib/puppet', 'var/cache/puppet', 'var/log/puppet', 'opt/puppetlabs']
    expect(homes.filter((path) => existsSync(join(image, path)))).toEqual([])
    expect(output).toMatch(/^Notice: Applied catalog in /m)
  })

  test('changes nothing the second time', async () => {
    const { report, locations } = await apply()
    const done = checkReport(report, { layer: 'role:web', locations })
    // puppet leaves those that were right already out of its list, but counts them.
    expect(done.resources).toBeGreaterThanOrEqual(7)
    expect(done).toEqual({
      status: 'unchanged',
      resources: done.resources,
      failed: [],
      changed: [],
      skipped: [],
      errors: [],
    })
  })

  test('fails with the resource, its place and the message', async () => {
    const line = "exec { '/bin/sh -c \"echo broken; exit 3\"': }\n-> file { '/etc/after': content => 'x' }"
    const { report, locations } = await apply(inserted(line))
    const error = failure(() => checkReport(report, { layer: 'role:web', locations }))
    expect(error.code).toBe('PUPPET_FAILED')
    expect(error.message).toBe(
      `puppet could not apply Exec[/bin/sh -c "echo broken; exit 3"] (control/${web}:5): change from 'notrun' to ['0'] failed: '/bin/sh -c "echo broken; exit 3"' returned 3 instead of one of [0]`,
    )
    expect(existsSync(join(image, 'etc/after'))).toBe(false)
  })

  test('says what it is at before something that says nothing', async () => {
    const lines = [
      "package { 'dpkg': }",
      "exec { '/bin/true': }",
      "exec { '/bin/false': refreshonly => true }",
    ]
    const { output } = await apply(inserted(lines.join('\n')))
    const said = output.split('\n').filter((line) => line.startsWith('Applying'))
    expect(said.toSorted()).toEqual(['Applying Exec[/bin/true]', 'Applying Package[dpkg]'])
  })

  test('fails when a Deferred cannot be resolved', async () => {
    const line = "file { '/etc/deferred': content => Deferred('profile::none', []) }"
    const { report, locations } = await apply(inserted(line))
    const error = failure(() => checkReport(report, { layer: 'role:web', locations }))
    expect(error.message).toBe("puppet could not apply the catalog: Unknown function 'profile::none'")
  })

  async function apply(
    change: Change = {},
  ): Promise<{ report: string; locations: Locations; output: string }> {
    const resolved = await resolve(trees, change)
    const staged = join(trees.folder, 'staged')
    await runProgram(['rm', '-rf', staged])
    await resolved.stage?.(staged)
    const run = puppetApply({ do: 'puppet', ...valueOf(resolved), input: 'catalog', keepAgent: false })
    for (const { path, content, mode } of run.files) {
      mkdirSync(join(staged, 'puppet'), { recursive: true })
      const name = path.replace('/run/img/', '')
      writeFileSync(join(staged, name), content, { mode: Number.parseInt(mode, 8) })
    }
    const env = Object.entries(run.env).map(([name, value]) => `${name}=${value}`)
    const argv = ['bash', '-euc', enter, 'bash', image, trees.tools, staged, run.report, ...env, ...run.argv]
    const result = await runProgram(argv, { isolation: 'namespace' })
    const report = join(staged, 'report')
    if (!existsSync(report)) throw new Error(`puppet left no report: ${result.stdout}${result.stderr}`)
    return {
      report: readFileSync(report, 'utf8'),
      locations: JSON.parse(readFileSync(join(staged, 'locations.json'), 'utf8')) as Locations,
      output: result.stdout + result.stderr,
    }
  }
})

const web = 'site-modules/profile/manifests/web.pp'

const inserted = (line: string): Change => ({ edit: [web, ') {\n', `) {\n${line}\n`] })

const enter = `
image=$1 tools=$2 staged=$3 report=$4; shift 4
mount -t tmpfs tmpfs "$image/run"
mkdir -p "$image/run/img/tools" "$image/run/img/puppet" "$image/run/img/sources" "$image/run/img/plugins"
mount --bind -o ro "$tools" "$image/run/img/tools"
mount --bind -o ro "$staged/sources" "$image/run/img/sources"
mount --bind -o ro "$staged/plugins" "$image/run/img/plugins"
cp "$staged"/puppet/* "$image/run/img/puppet/"
mount -t proc proc "$image/proc"
echo systemd > "$image/run/img/comm"
mount --bind "$image/run/img/comm" "$image/proc/1/comm"
mount -t tmpfs tmpfs "$image/dev"
for device in null zero random urandom; do
  touch "$image/dev/$device"
  mount --bind "/dev/$device" "$image/dev/$device"
done
chroot "$image" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@" || true
if [ -e "$image$report" ]; then cp "$image$report" "$staged/report"; fi
`

function failure(check: () => unknown): ImgError {
  try {
    check()
  } catch (error) {
    return error as ImgError
  }
  throw new Error('the report was taken for a success')
}
