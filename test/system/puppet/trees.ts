// A tool tree and an image for tests with a real puppet; IMG_TEST_PUPPET_TREES keeps them from one run to the next.

import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { discoverMirrors } from '../../../tasks/run/apt-mirrors.ts'
import { runProgram } from '../../../tasks/run/process.ts'
import { findKeyring } from '../../../tasks/run/apt-keyring.ts'
import type { RunContext } from '../../../tasks/context.ts'

export const canRun: boolean = process.getuid?.() === 0 && existsSync('/usr/bin/mmdebstrap')

export interface Trees {
  /** Debian with puppet-agent. */
  readonly tools: string
  /** Debian with systemd and useradd, without ruby. */
  readonly image: string
  /** For everything else. */
  readonly folder: string
  remove(): void
}

export async function makeTrees(): Promise<Trees> {
  const kept = process.env['IMG_TEST_PUPPET_TREES']
  const folder = mkdtempSync(join(tmpdir(), 'img-puppet-system-'))
  const home = kept ?? folder
  mkdirSync(home, { recursive: true })
  const tools = await makeTree(join(home, 'tools'), 'puppet-agent')
  const image = await makeTree(join(home, 'image'), 'systemd-sysv,passwd')
  return { tools, image, folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

async function makeTree(to: string, packages: string): Promise<string> {
  if (existsSync(to)) return to
  const context = hostContext()
  const mirrors = await discoverMirrors(context)
  const keyring = findKeyring('debian', context)
  const argv = ['mmdebstrap', '--mode=root', '--variant=apt', `--include=${packages}`, `--keyring=${keyring}`]
  const quick = ['--aptopt=Apt::Install-Recommends "false"', '--dpkgopt=force-unsafe-io', '--quiet']
  const source = `deb ${mirrors.debian} trixie main`
  const made = await runProgram([...argv, ...quick, 'trixie', `${to}.new`, source])
  if (made.exitCode !== 0) throw new Error(made.stderr)
  renameSync(`${to}.new`, to)
  return to
}

function hostContext(): RunContext {
  return {
    root: '/',
    env: { ...process.env },
    cacheDir: tmpdir(),
    now: () => Date.now(),
    signal: new AbortController().signal,
    emit: () => undefined,
    uid: 0,
    yes: false,
  }
}
