// The system's libvirt, started where none runs, and then stopped by its process.

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'

/** Returns how to stop what was started. */
export async function startLibvirtd(): Promise<() => Promise<void>> {
  if (answers()) return async () => undefined
  const daemons = ['virtlogd', 'libvirtd'].map((name) => spawn(name, { stdio: 'ignore', detached: true }))
  const stop = async (): Promise<void> => {
    for (const daemon of daemons.toReversed()) {
      if (daemon.exitCode !== null) continue
      const ended = once(daemon, 'exit')
      daemon.kill('SIGTERM')
      await ended
    }
  }
  for (let tries = 0; tries < 300; tries++) {
    if (answers()) return stop
    await setTimeout(200)
  }
  await stop()
  throw new Error('libvirtd does not answer within a minute')
}

function answers(): boolean {
  try {
    execFileSync('virsh', ['--connect', 'qemu:///system', 'uri'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
