// Where an installer gets its packages from on this machine: an option, the environment, or the mirror img uses itself.
// It decides how fast, never what, so it is not in any key.

import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import type { InstallStep } from '../plan/step.ts'
import { discoverMirrors } from '../run/apt-mirrors.ts'
import type { InstallerMirror } from './installer-files.ts'

/** Undefined where the answers name the place themselves, as kickstart and autoinstall do. */
export async function installerMirror(
  step: InstallStep,
  context: RunContext,
): Promise<InstallerMirror | undefined> {
  const unsigned = isUnsigned(context)
  const given = checked(context.env['IMG_INSTALL_MIRROR']) ?? step.machine?.mirror
  if (given !== undefined) {
    const packages = seenFromGuest(given)
    // Debian's security archive lies beside the main one wherever both are mirrored.
    return { packages, security: `${new URL(packages).origin}/debian-security`, unsigned }
  }
  if (step.answers.kind !== 'preseed') return undefined
  const isUbuntu = /^d-i mirror\/https?\/directory string \/ubuntu\b/m.test(step.answers.text)
  const mirrors = await discoverMirrors(context)
  const packages = seenFromGuest(isUbuntu ? mirrors.ubuntu : mirrors.debian)
  const security = seenFromGuest(mirrors['debian-security'])
  return {
    packages,
    // The installer knows one path for it, whatever the host.
    ...(new URL(security).pathname === '/debian-security' && !isUbuntu ? { security } : {}),
    unsigned,
  }
}

function checked(value: string | undefined): string | undefined {
  if (value === undefined || value === '') return undefined
  if (/^https?:\/\/[^/]/.test(value) && URL.canParse(value)) return value
  throw new ImgError('USAGE', `IMG_INSTALL_MIRROR is not an http or https URL: ${value}`, {
    hint: 'set it to the URL above dists/ and pool/, such as http://mirror.example.org/debian',
    found: value,
  })
}

function isUnsigned({ env, emit }: RunContext): boolean {
  const value = env['IMG_INSTALL_UNSIGNED']
  if (value === undefined || value === '' || value === '0') return false
  emit({
    event: 'warning',
    text: 'IMG_INSTALL_UNSIGNED: the installer takes its own parts from the mirror without checking who made them',
    hint: 'use it with a mirror of your own only',
  })
  return true
}

/** On qemu's own network the guest sees this machine, loopback included, at one address. */
function seenFromGuest(url: string): string {
  const parsed = new URL(url)
  if (/^(?:localhost|127\.[\d.]+|\[::1\])$/.test(parsed.hostname)) parsed.hostname = '10.0.2.2'
  return parsed.href.replace(/\/+$/, '')
}
