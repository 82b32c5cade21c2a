// A project in a temporary folder and the real `img` as a child process: own cache, own home, nothing inherited.

import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { tempFolder } from './temp-folder.ts'

export interface TestProject {
  readonly root: string
  readonly cacheDir: string
  /** Runs to the end. */
  readonly img: (args: readonly string[], options?: RunOptions) => Promise<Ended>
  /** Starts, for tests that talk to it while it runs. */
  readonly start: (args: readonly string[], options?: RunOptions) => Running
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** The program, with arguments, that starts `img`. */
  readonly enter?: readonly string[]
}

export interface Ended {
  /** Exit status, or the name of the signal it died of. */
  readonly status: number | string
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcessByStdio<null, Readable, Readable>
  readonly ended: Promise<Ended>
  /** Resolves when stderr has the text; rejects when it ends without. */
  readonly says: (text: string) => Promise<void>
}

export function testProject(files: Readonly<Record<string, string | Buffer>> = {}): TestProject {
  if (!existsSync(cli)) throw new Error('dist/ is missing: npm run build')
  const home = tempFolder()
  const project = projectIn({ root: tempFolder(files), cacheDir: join(home, 'cache'), env: { HOME: home } })
  const start = (args: readonly string[], options: RunOptions = {}): Running => {
    const running = project.start(args, options)
    onTestFinished(() => void running.child.kill('SIGKILL'))
    return running
  }
  return { ...project, start, img: (args, options) => start(args, options).ended }
}

/** In folders that are there; nothing is removed. */
export function projectIn(
  at: Pick<TestProject, 'root' | 'cacheDir'> & { readonly env: Readonly<Record<string, string>> },
): TestProject {
  const { root, cacheDir } = at
  const start = (args: readonly string[], options: RunOptions = {}): Running => {
    const path = process.env['PATH'] ?? '/usr/bin:/bin'
    const env = { PATH: path, IMG_CACHE_DIR: cacheDir, ...at.env, ...options.env }
    const [program = '', ...argv] = [...(options.enter ?? []), process.execPath, cli, ...args]
    const child = spawn(program, argv, { cwd: options.cwd ?? root, env, stdio: ['ignore', 'pipe', 'pipe'] })
    return follow(child)
  }
  return { root, cacheDir, start, img: (args, options) => start(args, options).ended }
}

export const cli: string = fileURLToPath(new URL('../../dist/tasks/cli.js', import.meta.url))

/** An imgfile whose layers need no program, no network and no root to be planned. */
export const plainImgfile = `import { defineImgfile, layer } from 'imgfile'
const recipe = (content, parent) => ({
  name: 'note',
  mode: 'chroot',
  inputs: { files: { kind: 'files', base: 'files', patterns: ['**'] } },
  parent,
  steps: () => [{ do: 'write', path: '/note', content, mode: '0644' }],
})
const install = layer('install:a', recipe('one', 'none'))
const base = layer('base:a', recipe('two', 'required'), { from: install })
export default defineImgfile({ layers: [install, base] })
`

function follow(child: ChildProcessByStdio<null, Readable, Readable>): Running {
  const text = { stdout: '', stderr: '' }
  const listeners = new Set<() => void>()
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk
      for (const listener of listeners) listener()
    })
  }
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ status: code ?? signal ?? 'unknown', ...text }))
  })
  return {
    child,
    ended,
    says: (wanted) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (text.stderr.includes(wanted)) resolve()
        }
        listeners.add(look)
        look()
        ended.then(() => reject(new Error(`it ended without saying ${wanted}: ${text.stderr}`)), reject)
      }),
  }
}
