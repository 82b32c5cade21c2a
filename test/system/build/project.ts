// A project of its own small images, built by the real `img` from this machine's mirror: a Debian that boots, and roles of
// test/fixtures/puppet on it. IMG_TEST_BUILD keeps cache and lock from one run to the next.

import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { missingTools } from '../../../tasks/run/tools.ts'
import { projectIn, type TestProject } from '../../rig/project.ts'
import { writeFiles } from '../../rig/temp-folder.ts'

export const canRun: boolean =
  process.getuid?.() === 0 &&
  missingTools(['setpriv', 'unshare', 'mount', 'mmdebstrap', 'qemu-img', 'qemu-system-x86_64']).length === 0

export interface BuildProject extends TestProject {
  /** Writes files below the project's folder. */
  readonly write: (files: Readonly<Record<string, string>>) => void
  close(): void
}

/**
 * `layers` and `targets` are the source of further ones of the imgfile; `install` and `role(NAME)` are in scope, and the
 * makers of targets as `targets.NAME`.
 */
export function openBuildProject(
  layers: string,
  files: Readonly<Record<string, string>> = {},
  targets = '',
): BuildProject {
  const folder = mkdtempSync(join(tmpdir(), 'img-build-'))
  const kept = process.env['IMG_TEST_BUILD'] ?? folder
  const root = join(folder, 'project')
  mkdirSync(root)
  cpSync(join(repository, 'test/fixtures/puppet/environment'), join(root, 'control'), { recursive: true })
  const write = (more: Readonly<Record<string, string>>): void => writeFiles(root, more)
  write({ 'imgfile.ts': imgfile(layers, targets), 'small.cfg': answers(''), ...files })
  const [lock, keptLock] = [root, kept].map((at) => join(at, 'imgfile.lock')) as [string, string]
  if (existsSync(keptLock)) copyFileSync(keptLock, lock)
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => outside.test(name)))
  const project = projectIn({
    root,
    cacheDir: join(kept, 'cache'),
    env: { HOME: folder, ...(env as Record<string, string>) },
  })
  const close = (): void => {
    if (kept !== folder && existsSync(lock)) copyFileSync(lock, keptLock)
    rmSync(folder, { recursive: true, force: true })
  }
  return { ...project, write, close }
}

/** The answer file of our own images, with a late_command. */
const answers = (late: string): string =>
  `${readFileSync(join(repository, 'preseed/trixie.cfg'), 'utf8')}d-i preseed/late_command string ${late || 'true'}\n`

const repository = fileURLToPath(new URL('../../..', import.meta.url))

/** What says where this machine gets its packages. */
const outside = /^IMG_(?:MIRROR|SECURITY_MIRROR|KEYRING)$|_proxy$/i

const imgfile = (
  layers: string,
  targets: string,
): string => `import { defineImgfile, layer, secret } from 'imgfile'
import { apt, bootstrap, firstboot, puppet, puppetAgent, run } from 'imgfile/recipes'
import * as targets from 'imgfile/targets'
const install = layer('install:small', bootstrap({ suite: 'trixie', preseed: 'small.cfg', disk: '2G' }))
const role = (name, over = {}) =>
  layer(\`role:\${name}\`, puppet({ environment: 'control', role: name, ...over }), { from: install })
export default defineImgfile({ layers: [install, ${layers}], targets: [${targets}] })
`
