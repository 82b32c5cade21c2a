// A puppet that is loaded before a catalog is asked for, for as long as somebody watches: of the four seconds a
// compilation takes, three are spent on starting.

import { createInterface } from 'node:readline'
import { type Compile, compileCatalog, type CompileOptions, readAnswer } from './catalog-compile.ts'
import { compileServer } from './catalog-program.ts'
import { folderIdentity } from './folder-identity.ts'
import { startProgram, type StartedProgram } from './process.ts'

export interface CompileServer {
  /** As compileCatalog, and by it when the server cannot answer. */
  readonly compile: Compile
  close(): Promise<void>
}

interface Running {
  readonly of: string
  readonly program: StartedProgram
  readonly lines: AsyncIterator<string>
  readonly ask: (question: string) => void
}

export function openCompileServer(): CompileServer {
  let running: Running | undefined
  let last: Promise<unknown> = Promise.resolve()

  const stop = async (): Promise<void> => {
    const ending = running
    running = undefined
    ending?.program.kill('SIGKILL')
    await ending?.program.exited
  }
  const compile: Compile = async (input, options) => {
    const of = identityOf(options)
    if (running?.of !== of) {
      await stop()
      running = start(of, options)
    }
    const { lines, ask, program } = running
    const onAbort = (): void => program.kill('SIGKILL')
    options.signal.addEventListener('abort', onAbort, { once: true })
    ask(JSON.stringify({ node: input.node, facts: { ...input.facts, role: input.role } }))
    // Killed before it read the question, the socket is not ended but broken.
    const line = await lines.next().catch(() => undefined)
    options.signal.removeEventListener('abort', onAbort)
    if (line !== undefined && line.done !== true && line.value !== '{}')
      return readAnswer(input, { stdout: line.value, stderr: '' })
    // It ended, or its child did: a fresh puppet says why, or answers.
    await stop()
    return compileCatalog(input, options)
  }
  return {
    compile: (input, options) => {
      const answer = last.then(() => compile(input, options))
      last = answer.catch(() => undefined)
      return answer
    },
    close: stop,
  }
}

const identityOf = ({ tools, environment }: CompileOptions): string =>
  JSON.stringify([tools, environment, folderIdentity(environment)])

function start(of: string, { tools, environment }: CompileOptions): Running {
  const namespaces =
    'unshare --mount --propagation private --pid --ipc --fork --kill-child=KILL --mount-proc --'
  const program = startProgram(
    [...namespaces.split(' '), 'bash', '-euc', prepareRoot, 'bash', tools, environment, compileServer],
    { sockets: 1, env: { LC_ALL: 'C.UTF-8' } },
  )
  const [socket] = program.sockets
  if (socket === undefined) throw new Error('the compile server has no socket')
  // The end of the program is the end of the lines.
  socket.on('error', () => undefined)
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]()
  return { of, program, lines, ask: (question) => void socket.write(`${question}\n`) }
}

/** As for one catalog; the environment is seen through a mount, so it is always the present one. */
const prepareRoot = `
tools=$1 environment=$2 program=$3
mount -t tmpfs -o mode=0755 tmpfs "$tools/run"
mkdir -p "$tools/run/img/environments/production" "$tools/run/img/puppet"
mount --bind "$environment" "$tools/run/img/environments/production"
mount -o remount,bind,ro "$tools/run/img/environments/production"
printf '%s' "$program" > "$tools/run/img/serve.rb"
exec chroot "$tools" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 TZ=UTC HOME=/run/img \\
  /usr/bin/ruby --disable=did_you_mean /run/img/serve.rb
`
