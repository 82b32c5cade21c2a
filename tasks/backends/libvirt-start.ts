// How virt-install is started so that nothing of it outlives us. By default it talks to a libvirt of its own, in
// namespaces that die with `img`: domain, daemon and definition go with them. A libvirt that others use, too, is told
// to destroy the domain; after kill -9 the next start does it, from what was written down here.

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { programPath, runProgram } from '../run/process.ts'

export interface LibvirtStart {
  readonly connect: string
  readonly name: string
  /** Runs a command line with libvirt reachable. */
  readonly wrap: (argv: readonly string[]) => readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly isolation: 'none' | 'namespace'
  /** Whatever happened. */
  close(): Promise<void>
}

export async function startLibvirt(options: {
  /** Private; what must be ended is written down in it. */
  readonly directory: string
  readonly name: string
  readonly connect: string | undefined
  readonly uid: number
}): Promise<LibvirtStart> {
  const { directory, name, connect, uid } = options
  if (connect !== undefined) {
    await note(directory, { connect, name, uid })
    const close = (): Promise<void> => endNoted(directory)
    const env = { HOME: directory, LC_ALL: 'C.UTF-8', ...userEnv(uid) }
    return { connect, name, wrap: (argv) => argv, env, isolation: 'none', close }
  }
  if (uid === 0) {
    const wrap = (argv: readonly string[]): readonly string[] => [
      'sh',
      '-euc',
      ownSystem,
      'sh',
      directory,
      ...argv,
    ]
    const env = { HOME: directory, LC_ALL: 'C.UTF-8' }
    return { connect: 'qemu:///system', name, wrap, env, isolation: 'namespace', close: endWithUs }
  }
  // A socket's path has at most 107 bytes, and libvirt makes its own 60 longer.
  const folder = await mkdtemp(join(tmpdir(), 'img-'))
  await note(directory, { folder })
  const wrap = (argv: readonly string[]): readonly string[] =>
    ownUserNamespace.concat(['sh', '-euc', ownSession, 'sh', folder, ...argv])
  const env = {
    HOME: folder,
    LC_ALL: 'C.UTF-8',
    XDG_RUNTIME_DIR: folder,
    XDG_CONFIG_HOME: folder,
    XDG_CACHE_HOME: folder,
    XDG_DATA_HOME: folder,
  }
  const close = (): Promise<void> => endNoted(directory)
  return { connect: 'qemu:///session', name, wrap, env, isolation: 'none', close }
}

/** Everything is in namespaces that are gone by now. */
const endWithUs = (): Promise<void> => Promise.resolve()

/** What a killed build left below the folder of its work. `path` is where virsh is looked for. */
export async function endAbandoned(workspace: string, path: string = programPath): Promise<void> {
  const parts = await readdir(workspace, { withFileTypes: true }).catch(() => [])
  for (const part of parts) if (part.isDirectory()) await endNoted(join(workspace, part.name), path)
}

/** What the command line of `wrap` ends with when there is no libvirt to talk to; its log is on standard error. */
export const noLibvirt = 90

interface Noted {
  readonly connect?: string
  readonly name?: string
  readonly uid?: number
  readonly folder?: string
}

const noteFile = (directory: string): string => join(directory, 'libvirt.json')

const note = (directory: string, noted: Noted): Promise<void> =>
  writeFile(noteFile(directory), JSON.stringify(noted), { flush: true })

async function endNoted(directory: string, path: string = programPath): Promise<void> {
  const { connect, name, uid, folder } = await readNote(directory)
  if (connect !== undefined && name !== undefined) {
    const env = { PATH: path, HOME: directory, ...userEnv(uid ?? 0) }
    // A domain that is gone already is what is wanted.
    await runProgram(['virsh', '--connect', connect, 'destroy', name], { env, timeoutMs: 60_000 })
  }
  if (folder !== undefined) await rm(folder, { recursive: true, force: true })
  await rm(noteFile(directory), { force: true })
}

/** Nothing is started before the note is whole: of one that was torn off, nothing has to be ended. */
async function readNote(directory: string): Promise<Noted> {
  const text = await readFile(noteFile(directory), 'utf8').catch(() => '')
  try {
    return JSON.parse(text) as Noted
  } catch {
    return {}
  }
}

/** Where the libvirt of a user's session listens. */
const userEnv = (uid: number): Readonly<Record<string, string>> =>
  uid === 0 ? {} : { XDG_RUNTIME_DIR: `/run/user/${uid}` }

/** The user stays who he is: to libvirt, root would be somebody else. */
const ownUserNamespace: readonly string[] =
  'unshare --user --map-current-user --mount --pid --fork --kill-child=KILL --mount-proc --'.split(' ')

/** Behind the start of the daemon, whose log is in `$log`: waits a minute for it, as long as it lives, and runs the rest. */
const whenReady = (uri: string): string => `daemon=$!
turns=0
until virsh --connect ${uri} version >/dev/null 2>&1; do
  turns=$((turns + 1))
  { test $turns -lt 120 && kill -0 $daemon 2>/dev/null; } || { tail -n 20 "$log" >&2; exit ${noLibvirt}; }
  sleep 0.5
done
exec "$@"
`

/** The daemon of root keeps its state in fixed places: these are its own, in memory. */
const ownSystem = `
log=$1/libvirtd.log; shift
for folder in /run/libvirt /var/lib/libvirt /var/cache/libvirt /var/log/libvirt /etc/libvirt; do
  mkdir -p "$folder"
  mount -t tmpfs -o mode=0755 tmpfs "$folder"
done
mkdir -p /var/lib/libvirt/boot /var/lib/libvirt/images /var/lib/libvirt/qemu
cat >/etc/libvirt/qemu.conf <<'end'
stdio_handler = "file"
namespaces = []
cgroup_controllers = []
security_driver = "none"
user = "root"
group = "root"
end
printf 'auth_unix_rw = "none"\\nauth_unix_ro = "none"\\n' >/etc/libvirt/libvirtd.conf
libvirtd --timeout 600 --pid-file /run/libvirt/own.pid >"$log" 2>&1 &
${whenReady('qemu:///system')}`

const ownSession = `
folder=$1 log=$1/libvirtd.log; shift
mkdir -p "$folder/libvirt"
printf 'stdio_handler = "file"\\nsecurity_driver = "none"\\n' >"$folder/libvirt/qemu.conf"
libvirtd --timeout 600 --pid-file "$folder/own.pid" >"$log" 2>&1 &
${whenReady('qemu:///session')}`
