// Build-time apt: repositories, keys, lists and downloaded packages lie in /run/img/apt, which is no part of the
// image. APT_CONFIG names them, so nothing under the image's own /etc/apt is touched, and steps may edit that freely.

import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { AptAccess } from './backend.ts'
import { runInImage, runOnHost, type Build } from './namespace-build.ts'
import { mountApt } from './namespace-mounts.ts'
import type { StepOf } from '../plan/step.ts'

/** Makes the locked repositories reachable from the image's root and returns the environment that says so. */
async function enterApt(build: Build, name: string): Promise<Readonly<Record<string, string>>> {
  const folder = await writeAptFolder(build, name)
  await mountApt(build.session, { root: build.folders.image, folder })
  return aptEnv
}

/** `seenAs` when programs see the folder elsewhere than at /run/img/apt. */
export async function writeAptFolder(build: Build, name: string, seenAs: string = inImage): Promise<string> {
  const access = build.work.apt[name]
  if (access === undefined) throw new Error(`no access to the repositories ${name} was given`)
  const folder = aptFolder(build, name)
  const lines = access.sources.map((line) => `${line.replaceAll(inImage, seenAs)}\n`)
  const lay = async (file: string, input: string | Uint8Array): Promise<void> => {
    const script = 'mkdir -p "$1/lists/partial" "$1/cache/archives/partial" && cat >"$1/$2"'
    const what = `laying out ${file} of apt`
    await runOnHost(build, ['sh', '-euc', script, 'sh', folder, file], { input, what, quiet: true })
  }
  await lay('sources.list', lines.join(''))
  await lay('apt.conf', renderAptConf(access))
  await lay('keyring.gpg', await readFile(access.keyring))
  return folder
}

export const aptFolder = (build: Build, name: string): string =>
  path.join(build.folders.work, 'apt', encodeURIComponent(name))

const inImage = '/run/img/apt'

/** Installs and removes packages; `apt-get update` runs once per layer and set of repositories. */
export async function runAptStep(build: Build, step: StepOf<'apt'>): Promise<void> {
  const env = await enterUpdatedApt(build, step.apt)
  const recommends = `APT::Install-Recommends=${step.recommends}`
  if (step.remove.length > 0) {
    const argv = ['apt-get', '-y', 'purge', '--', ...step.remove]
    await runInImage(build, argv, { env, network: true, what: `apt-get purge ${step.remove.join(' ')}` })
  }
  if (step.install.length > 0) {
    const argv = ['apt-get', '-y', '-o', recommends, 'install', '--', ...step.install]
    await runInImage(build, argv, { env, network: true, what: `apt-get install ${step.install.join(' ')}` })
  }
}

export async function enterUpdatedApt(build: Build, name: string): Promise<Readonly<Record<string, string>>> {
  const env = await enterApt(build, name)
  const script =
    'test -e /run/img/apt/updated || { apt-get -o APT::Update::Error-Mode=any update && : >/run/img/apt/updated; }'
  await runInImage(build, ['sh', '-c', script], { env, network: true, what: 'apt-get update' })
  return env
}

/** Nothing may wait for an answer. */
export const aptEnv: Readonly<Record<string, string>> = {
  APT_CONFIG: '/run/img/apt/apt.conf',
  DEBIAN_FRONTEND: 'noninteractive',
  DEBIAN_PRIORITY: 'critical',
  DEBCONF_NONINTERACTIVE_SEEN: 'true',
  APT_LISTCHANGES_FRONTEND: 'none',
  UCF_FORCE_CONFFOLD: '1',
}

// A proxy the image configures for its own use must not be asked for what lies on this machine.
function renderAptConf(access: AptAccess): string {
  return [
    ...access.config,
    'APT::Get::Assume-Yes "true";',
    'APT::Sandbox::User "root";',
    'Acquire::Languages "none";',
    'Acquire::http::Proxy::127.0.0.1 "DIRECT";',
    'Dir::Etc::SourceList "/run/img/apt/sources.list";',
    'Dir::Etc::SourceParts "/dev/null";',
    'Dir::State::Lists "/run/img/apt/lists";',
    'Dir::Cache "/run/img/apt/cache";',
    'DPkg::Options { "--force-confold"; "--force-unsafe-io"; };',
    '',
  ].join('\n')
}
