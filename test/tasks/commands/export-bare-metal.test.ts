import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exportBareMetal } from '../../../tasks/commands/export-bare-metal.ts'
import { installerContext } from '../../rig/installer-project.ts'
import { fakeCall } from '../../rig/layer-disks.ts'
import { expectSchema } from '../../rig/schema.ts'

const imgfile = `import { defineImgfile, layer } from 'imgfile'
import { bootstrap, install } from 'imgfile/recipes'
const location = { kernel: 'di/linux', initrd: 'di/initrd.gz' }
export default defineImgfile({
  layers: [
    layer('install:di', install({ answers: 'trixie.cfg', location, disk: '1G' })),
    layer('install:fast', bootstrap({ suite: 'trixie', preseed: 'trixie.cfg', disk: '1G' })),
  ],
})
`

function project(): ReturnType<typeof installerContext> {
  const context = installerContext()
  writeFileSync(join(context.root, 'imgfile.ts'), imgfile)
  return context
}

test('what the installation on a local disk needs, without what only a build does', async () => {
  const context = project()
  const call = fakeCall({ args: ['install:di', 'metal'], cwd: context.root })
  expect(await exportBareMetal(call, context)).toBe(0)
  const names = ['preseed.cfg', 'kernel-command-line', 'boot.ipxe', 'puppet-run.sh']
  expect(call.printed).toEqual([names.map((name) => `metal/${name}\n`).join('')])
  const folder = join(context.root, 'metal')
  expect(readdirSync(folder).toSorted()).toEqual(names.toSorted())
  const answers = readFileSync(join(folder, 'preseed.cfg'), 'utf8')
  expect(answers).toContain('d-i time/zone string Etc/UTC\n')
  expect(answers).not.toMatch(/img-finish|mirror\.example\.org|exit\/poweroff/)
  expect(statSync(join(folder, 'puppet-run.sh')).mode & 0o777).toBe(0o755)

  const again = fakeCall({ args: ['install:di', 'metal'], cwd: context.root, json: true })
  await expect(exportBareMetal(again, context)).rejects.toMatchObject({
    code: 'USAGE',
    message: 'metal is there already',
    fields: { hint: 'add --force to replace its files', path: 'metal' },
  })
  const forced = { ...again, options: { force: true } }
  expect(await exportBareMetal(forced, context)).toBe(0)
  expect(again.printed).toEqual([{ layer: 'install:di', folder: 'metal', files: names }])
  expectSchema('export', again.printed[0])
})

test('a layer without an installer, and a folder that cannot be made', async () => {
  const context = project()
  const other = fakeCall({ args: ['install:fast', 'metal'], cwd: context.root })
  await expect(exportBareMetal(other, context)).rejects.toMatchObject({
    code: 'USAGE',
    message: 'install:fast does not begin with an installer, so no machine can be installed like it',
    fields: { hint: 'name a layer whose chain begins with install()', layer: 'install:fast' },
  })
  const inFile = fakeCall({ args: ['install:di', 'imgfile.ts/metal'], cwd: context.root })
  await expect(exportBareMetal(inFile, context)).rejects.toMatchObject({
    code: 'PERMISSION',
    message: expect.stringMatching(/^cannot write to imgfile\.ts\/metal: ENOTDIR/) as string,
    fields: { hint: 'name a folder this user may write to', path: 'imgfile.ts/metal' },
  })
})
