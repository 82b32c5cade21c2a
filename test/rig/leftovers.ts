// What a killed build may leave on the machine, as the kernel knows it: loop devices, mounts in any namespace, processes.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { runProgram } from '../../tasks/run/process.ts'

/**
 * Everything that has to do with the folder. The kernel needs a moment to unmount, and ends a killed process only when
 * the disk has what it waits for; what is there after `ms` stays.
 */
export async function leftovers(directory: string, ms = 30_000): Promise<readonly string[]> {
  for (const until = Date.now() + ms; ;) {
    const found = [...(await loopDevices(directory)), ...mounts(directory), ...processes(directory)]
    if (found.length === 0 || Date.now() > until) return found
    await wait(100)
  }
}

async function loopDevices(directory: string): Promise<readonly string[]> {
  const { stdout } = await runProgram(['losetup', '--list', '--noheadings', '--output', 'NAME,BACK-FILE'])
  return stdout.split('\n').filter((line) => line.includes(directory))
}

/** In every mount namespace there is. */
const mounts = (directory: string): readonly string[] =>
  processIds()
    .filter((id) => quietly(() => readFileSync(`/proc/${id}/mountinfo`, 'utf8')).includes(directory))
    .map((id) => `mount in process ${id}`)

const processes = (directory: string): readonly string[] =>
  processIds()
    .filter(
      (id) =>
        ['exe', 'cwd', 'root'].some((link) =>
          quietly(() => readlinkSync(`/proc/${id}/${link}`)).includes(directory),
        ) || quietly(() => readFileSync(`/proc/${id}/cmdline`, 'utf8')).includes(directory),
    )
    .map((id) => `process ${id} ${commandOf(id)}`)

/** Its name and state, and its command line, which a process that is ending has no more. */
const commandOf = (id: string): string =>
  ['stat', 'cmdline']
    .map((name) => quietly(() => readFileSync(`/proc/${id}/${name}`, 'utf8')).replaceAll('\0', ' '))
    .map((text) => text.slice(0, 200))
    .join(': ')

const processIds = (): readonly string[] =>
  readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)

function quietly(read: () => string): string {
  try {
    return read()
  } catch {
    // It ended while we looked.
    return ''
  }
}
