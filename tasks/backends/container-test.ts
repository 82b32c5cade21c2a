// Loads an image into a store of its own and runs it once: what is in it works, and nothing in it is one machine's.

import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunContext } from '../context.ts'
import { runProgram, type ProgramResult } from '../run/process.ts'
import { findProgram } from '../run/find-program.ts'
import type { Check, Expectations } from './boot-checks.ts'
import type { BootTest } from './boot-test.ts'

export interface ContainerTestOptions {
  /** What `podman load` reads. */
  readonly archive: string
  /** Private, and there; what podman keeps is removed. */
  readonly directory: string
  readonly expectations: Expectations
}

/** A faulty image is a result. */
export async function testContainer(options: ContainerTestOptions, context: RunContext): Promise<BootTest> {
  const started = context.now()
  const { archive, directory, expectations } = options
  // podman takes none of more than 50 characters.
  const runRoot = await mkdtemp('/tmp/img-')
  const podman = (...args: readonly string[]): Promise<ProgramResult> => {
    const store = ['--root', join(directory, 'root'), '--runroot', runRoot]
    return runProgram(['podman', ...store, ...runtime(), ...args], { signal: context.signal })
  }
  try {
    const loaded = await podman('load', '--quiet', '--input', archive)
    const [, image] = /^Loaded images?: (\S+)$/m.exec(loaded.stdout) ?? []
    const loads = { name: 'is loaded', passed: image !== undefined, detail: image ?? loaded.stderr.trim() }
    const checks =
      image === undefined
        ? [loads]
        : [loads, ...judge(await podman(...run, image, '-c', script), expectations)]
    return {
      passed: checks.every(({ passed }) => passed),
      checks,
      boots: [],
      ms: context.now() - started,
    }
  } finally {
    await podman('system', 'reset', '--force')
    await rm(runRoot, { recursive: true, force: true })
  }
}

export async function readPodmanVersion({ signal }: RunContext): Promise<string> {
  return (await runProgram(['podman', '--version'], { signal })).stdout.trim()
}

/** crun raises limits whether or not this machine may. */
const runtime = (): readonly string[] => (findProgram('runc') === undefined ? [] : ['--runtime', 'runc'])

const run: readonly string[] = [
  ...'run --rm --network=none --entrypoint=/bin/sh'.split(' '),
  '--ulimit=nofile=512:512',
  '--ulimit=nproc=512:512',
]

const script = `. /etc/os-release
echo "os $PRETTY_NAME"
dpkg-query --show --showformat 'package \${db:Status-Status} \${Package}\\n'
dpkg --audit | sed 's/^/audit /'
for file in /etc/machine-id /etc/ssh/ssh_host_*_key /var/lib/systemd/random-seed; do
  if [ -s "$file" ]; then echo "identity $file"; fi
done
echo end
`

/** Pure. */
export function judge(
  { exitCode, stdout, stderr }: Pick<ProgramResult, 'exitCode' | 'stdout' | 'stderr'>,
  { packages }: Expectations,
): readonly Check[] {
  const lines = stdout.split('\n')
  const said = (name: string): readonly string[] =>
    lines.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1))
  const runs = exitCode === 0 && lines.includes('end')
  const failure = `ended with ${exitCode}: ${stderr.trim().split('\n').at(-1) ?? ''}`
  const first = { name: 'runs', passed: runs, detail: runs ? (said('os')[0] ?? 'it does') : failure }
  if (!runs) return [first]
  const installed = new Set(said('package').map((line) => line.replace(/^installed /, '')))
  const missing = packages.filter((name) => !installed.has(name))
  return [
    first,
    none('no half-installed package', said('audit')),
    none(
      'has its packages',
      missing.map((name) => `${name} is not installed`),
      `${packages.length} expected, all installed`,
    ),
    none('has no identity', said('identity')),
  ]
}

const none = (name: string, found: readonly string[], good = 'none'): Check => ({
  name,
  passed: found.length === 0,
  detail: found.length === 0 ? good : found.slice(0, 5).join(', '),
})
