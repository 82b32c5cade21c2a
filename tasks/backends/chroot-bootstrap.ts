// mmdebstrap into an empty root. From the tool tree, except for the tool tree itself: that one begins with the host's.

import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { StepOf } from '../plan/step.ts'
import { aptEnv, aptFolder, writeAptFolder } from './chroot-apt.ts'
import { runOnHost, runTool, type Build } from './namespace-build.ts'
import { insideTools, mountApt } from './namespace-mounts.ts'

export async function runBootstrapStep(build: Build, step: StepOf<'bootstrap'>): Promise<void> {
  const { folders, work } = build
  const selections = path.join(folders.work, 'debconf')
  await mkdir(folders.tree, { recursive: true })
  await writeFile(selections, step.debconf.map((line) => `${line}\n`).join(''))
  const fromTools = work.tools !== undefined
  const at = (hostPath: string): string => (fromTools ? insideTools(folders, hostPath) : hostPath)
  const apt = fromTools
    ? await writeAptFolder(build, step.apt)
    : await writeAptFolder(build, step.apt, aptFolder(build, step.apt))
  if (fromTools) await mountApt(build.session, { root: folders.tools, folder: apt })
  const argv = mmdebstrapArgv(step, {
    arch: work.arch,
    config: work.apt[step.apt]?.config ?? [],
    selections: at(selections),
    sources: at(path.join(apt, 'sources.list')),
    target: at(folders.tree),
  })
  const run = fromTools ? runTool : runOnHost
  await run(build, argv, {
    network: true,
    env: {
      ...noAptConfig,
      SOURCE_DATE_EPOCH: String(build.epoch),
      TMPDIR: fromTools ? '/tmp' : folders.work,
    },
    what: `mmdebstrap ${step.suite}`,
  })
  // What mmdebstrap took over from the machine or left of the build's own apt.
  const leftovers = [
    'etc/resolv.conf',
    'etc/hostname',
    'etc/apt/sources.list',
    'etc/apt/sources.list.d/0000sources.list',
    'etc/apt/apt.conf.d/99mmdebstrap',
    'etc/dpkg/dpkg.cfg.d/99mmdebstrap',
  ].map((name) => path.join(folders.tree, name))
  await runOnHost(build, ['rm', '-f', '--', ...leftovers], { what: 'removing what mmdebstrap left' })
  await runOnHost(
    build,
    ['sh', '-c', 'rm -rf "$1"/dev "$1"/run && mkdir -m 0755 "$1"/dev "$1"/run', 'sh', folders.tree],
    {
      what: 'emptying /dev and /run',
    },
  )
}

/** APT_CONFIG would send mmdebstrap's own lists into /run/img/apt. */
const noAptConfig: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(aptEnv).filter(([name]) => name !== 'APT_CONFIG'),
)

interface BootstrapPaths {
  readonly arch: string
  readonly config: readonly string[]
  readonly selections: string
  readonly sources: string
  readonly target: string
}

function mmdebstrapArgv(step: StepOf<'bootstrap'>, paths: BootstrapPaths): readonly string[] {
  return [
    'mmdebstrap',
    '--mode=root',
    `--variant=${step.variant}`,
    `--architectures=${paths.arch}`,
    '--format=directory',
    // The hardware of this machine is not to be seen, and /dev comes from the kernel at boot.
    '--skip=check/empty,check/signed-by,output/dev,output/mknod,cleanup/apt/lists,cleanup/reproducible',
    '--dpkgopt=force-unsafe-io',
    '--dpkgopt=force-confold',
    '--aptopt=Acquire::Languages "none"',
    '--aptopt=APT::Sandbox::User "root"',
    `--aptopt=APT::Install-Recommends "${step.recommends}"`,
    ...paths.config.map((line) => `--aptopt=${line.replace(/;\s*$/, '')}`),
    ...(step.debconf.length === 0
      ? []
      : [`--essential-hook=chroot "$1" debconf-set-selections <${paths.selections}`]),
    ...(step.packages.length === 0 ? [] : [`--include=${step.packages.join(',')}`]),
    step.suite,
    paths.target,
    paths.sources,
  ]
}
