import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { dryRun } from '../../../tasks/commands/dry-run.ts'
import { runProgram } from '../../../tasks/run/process.ts'
import { fakePrograms } from '../../rig/fake-programs.ts'
import { fakeProject } from '../../rig/fake-project.ts'
import { installerContext, installerLayers } from '../../rig/installer-project.ts'
import { fakeCall } from '../../rig/layer-disks.ts'
import { tempFolder } from '../../rig/temp-folder.ts'
import { expectSchema } from '../../rig/schema.ts'

test('the plan, then for each installer a script that starts it as a build would', async () => {
  const project = await fakeProject(installerContext(), installerLayers())
  const call = fakeCall()
  await dryRun(project, call)
  const [printed] = call.printed as [string]
  const [plan = '', script = ''] = printed.split(/^(?=# install:di: run in an empty folder)/m)
  expect(plan.split('\n').map((line) => line.split(/ +/).slice(0, 2).join(' '))).toEqual(
    expect.arrayContaining(['undecided install:di', 'undecided role:web', 'build install:plain']),
  )
  expect(script).toMatch(
    /^# install:di: run in an empty folder, with the medium in it as\n# {3}medium\/initrd: .* initrd, sha256 [0-9a-f]{64}\n# {3}medium\/kernel: /,
  )
  const folder = tempFolder()
  const { path } = fakePrograms({ 'virt-install': 'for one; do echo "$one"; done >argv' })
  expect(
    await runProgram(['sh', '-euc', script], { cwd: folder, env: { PATH: path, PWD: folder } }),
  ).toMatchObject({ exitCode: 0, stderr: '' })
  const argv = readFileSync(join(folder, 'argv'), 'utf8').split('\n')
  expect(argv).toContain(`path=${folder}/disk.raw,format=raw,bus=virtio,cache=unsafe,discard=unmap`)
  expect(argv).toContain(`kernel=${folder}/medium/kernel,initrd=${folder}/medium/initrd`)
  expect(argv[argv.indexOf('--extra-args') + 1]).toMatch(/^mitigations=off auto=true .* --- net\.ifnames=0$/)
  expect(statSync(join(folder, 'disk.raw')).size).toBe(1024 ** 3)
  expect(readFileSync(join(folder, 'preseed.cfg'), 'utf8')).toContain(
    'd-i mirror/http/hostname string mirror.example.org\n',
  )
  expect(readFileSync(join(folder, 'img-finish'), 'utf8')).toContain('img-report NONCE %s')
})

test('as JSON, of the selected layers', async () => {
  const project = await fakeProject(installerContext(), installerLayers())
  const call = fakeCall({ json: true, args: ['install:plain'] })
  await dryRun(project, call)
  expect(call.printed).toMatchObject([
    { layers: [{ name: 'install:plain', action: 'build' }], installers: [] },
  ])
  const other = fakeCall({ json: true, args: ['install:di'] })
  await dryRun(project, other)
  for (const printed of [...call.printed, ...other.printed]) expectSchema('build-dry-run', printed)
  const [{ installers }] = other.printed as [
    { installers: readonly { argv: readonly string[]; files: object }[] },
  ]
  expect(installers).toMatchObject([{ layer: 'install:di' }])
  expect(installers[0]?.argv.slice(0, 3)).toEqual(['virt-install', '--connect', 'qemu:///system'])
  expect(Object.keys(installers[0]?.files ?? {})).toEqual(['preseed.cfg', 'img-finish'])
  expect(existsSync(join(project.context.root, 'disk.raw'))).toBe(false)
})
