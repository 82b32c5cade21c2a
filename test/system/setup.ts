// `npm test` sets itself up: as root, what the system tests drive is installed before they ask whether it is there.

import { installPackages } from '../../tasks/run/tools-install.ts'
import { missingTools, packagesOf } from '../../tasks/run/tools.ts'

export async function setup(): Promise<void> {
  if (process.getuid?.() !== 0) return
  const missing = missingTools([
    'setpriv',
    'unshare',
    'mount',
    'mmdebstrap',
    'qemu-img',
    'qemu-storage-daemon',
    'qemu-system-x86_64',
    'UEFI firmware',
  ])
  if (missing.length === 0) return
  await installPackages(packagesOf(missing), {
    root: process.cwd(),
    env: process.env,
    cacheDir: '/nonexistent',
    now: Date.now,
    signal: new AbortController().signal,
    emit: (event) => process.stderr.write(event.event === 'note' ? `${event.text}\n` : ''),
    uid: 0,
    yes: true,
  })
}
