// What `img` needs of the host, looked at one thing after another. Each check says what it found; none throws.

import { constants } from 'node:fs'
import { access, mkdir, readdir, readFile, statfs } from 'node:fs/promises'
import { userInfo } from 'node:os'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import { formatBytes } from '../reporters/format.ts'
import { resolveAcceleration } from '../backends/acceleration.ts'
import { discoverMirrors, withoutCredentials } from './apt-mirrors.ts'
import { checkTool, type HostCheck } from './tool-check.ts'
import { tools, type ToolName } from './tools.ts'

export async function checkHost(context: RunContext): Promise<readonly HostCheck[]> {
  const programs = await Promise.all(
    (Object.keys(tools) as ToolName[]).map((name) => checkTool(name, context)),
  )
  const rest = await Promise.all([
    checkAcceleration(context),
    checkSpace(context),
    checkNamespaces(context),
    checkAppliance(),
    checkMirror(context),
  ])
  return [...programs, ...rest.flat()]
}

async function checkAcceleration(context: RunContext): Promise<HostCheck> {
  const name = 'acceleration'
  try {
    const { accelerator, reason } = await resolveAcceleration(context)
    const found = `${accelerator}: ${reason}`
    return accelerator === 'kvm'
      ? { name, status: 'ok', found }
      : { name, status: 'limited', found, hint: 'booting images takes minutes instead of seconds' }
  } catch (error) {
    if (!(error instanceof ImgError) || error.code === 'INTERRUPTED') throw error
    return { name, status: 'missing', found: error.message, ...hintOf(error) }
  }
}

async function checkSpace({ cacheDir }: RunContext): Promise<HostCheck> {
  const name = 'space for the cache'
  try {
    await mkdir(cacheDir, { recursive: true })
    await access(cacheDir, constants.W_OK)
    const { bavail, bsize } = await statfs(cacheDir)
    const free = bavail * bsize
    const found = `${formatBytes(free)} free in ${cacheDir}`
    const wanted = formatBytes(wantedSpace)
    return free >= wantedSpace
      ? { name, status: 'ok', found, wanted }
      : {
          name,
          status: 'limited',
          found,
          wanted,
          hint: 'make room, or set IMG_CACHE_DIR to another file system',
        }
  } catch (error) {
    const hint = 'set IMG_CACHE_DIR to a folder you may write'
    return { name, status: 'missing', found: (error as Error).message, hint }
  }
}

/** A tool tree, a few layers, and an overlay for each while they are built. */
const wantedSpace = 10 * 1024 ** 3

/** Only who is not root builds in a user namespace. */
async function checkNamespaces({ uid }: RunContext): Promise<readonly HostCheck[]> {
  if (uid === 0) return []
  const { username } = userInfo()
  const [allowed, ranges] = await Promise.all([
    readFile('/proc/sys/kernel/unprivileged_userns_clone', 'utf8').catch(() => '1'),
    readFile('/etc/subuid', 'utf8').catch(() => ''),
  ])
  const range = ranges.split('\n').find((line) => line.startsWith(`${username}:`))
  const count = Number(range?.split(':')[2] ?? 0)
  return [
    allowed.trim() === '0'
      ? {
          name: 'user namespaces',
          status: 'missing',
          found: 'forbidden to users',
          hint: 'run `sudo sysctl kernel.unprivileged_userns_clone=1`, or run img as root',
        }
      : { name: 'user namespaces', status: 'ok', found: 'allowed' },
    count >= 65_536
      ? { name: 'subordinate ids', status: 'ok', found: String(range), wanted: '65536' }
      : {
          name: 'subordinate ids',
          status: 'missing',
          found: range ?? 'none in /etc/subuid',
          wanted: '65536',
          package: 'uidmap',
          hint: `run \`sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${username}\``,
        },
  ]
}

/** libguestfs boots the host's kernel, which Ubuntu lets only root read. */
async function checkAppliance(): Promise<HostCheck> {
  const kernels = (await readdir('/boot').catch(() => [])).filter((file) => file.startsWith('vmlinuz-'))
  const readable = await Promise.all(
    kernels.map((file) =>
      access(`/boot/${file}`, constants.R_OK).then(
        () => true,
        () => false,
      ),
    ),
  )
  const name = 'kernel for libguestfs'
  if (readable.includes(true)) return { name, status: 'ok', found: 'readable' }
  return kernels.length === 0
    ? { name, status: 'limited', found: 'none in /boot', hint: 'install linux-image-amd64 to use libguestfs' }
    : {
        name,
        status: 'limited',
        found: `${kernels.join(', ')} not readable`,
        hint: 'run `sudo chmod 0644 /boot/vmlinuz-*` to use libguestfs',
      }
}

/** Also tells the time: a clock that is wrong by hours makes every signature look wrong. */
async function checkMirror(context: RunContext): Promise<readonly HostCheck[]> {
  const name = 'mirror'
  let shown = 'none'
  try {
    const { debian } = await discoverMirrors(context)
    shown = withoutCredentials(debian)
    const response = await fetch(`${debian}/dists/stable/InRelease`, {
      method: 'HEAD',
      signal: AbortSignal.any([context.signal, AbortSignal.timeout(10_000)]),
    })
    if (!response.ok) throw new Error(`it answers ${response.status}`)
    return [{ name, status: 'ok', found: shown }, checkClock(response.headers.get('date'), context.now())]
  } catch (error) {
    if (context.signal.aborted) throw error
    const reason = error instanceof Error ? error.message : String(error)
    const hint = 'set IMG_MIRROR to a mirror this host can reach; what is cached still builds'
    return [{ name, status: 'limited', found: `${shown}: ${reason}`, hint }]
  }
}

/** Pure. */
export function checkClock(serverDate: string | null, now: number): HostCheck {
  const name = 'clock'
  const server = Date.parse(serverDate ?? '')
  if (Number.isNaN(server)) return { name, status: 'ok', found: 'nothing to compare it with' }
  const seconds = Math.round((now - server) / 1000)
  const found =
    Math.abs(seconds) < 60 ? 'right' : `${Math.abs(seconds)} s ${seconds > 0 ? 'ahead' : 'behind'}`
  return Math.abs(seconds) < 3600
    ? { name, status: 'ok', found }
    : { name, status: 'missing', found, hint: 'set the clock: signatures of packages have dates' }
}

const hintOf = ({ fields }: ImgError): { readonly hint?: string } =>
  fields.hint === undefined ? {} : { hint: fields.hint }
