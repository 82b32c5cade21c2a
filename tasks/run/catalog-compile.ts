// Compiles a catalog with the tool tree's puppet, in a root of its own: no file, fact or name of the host is seen.

import { ImgError } from '../errors.ts'
import type { CatalogInput } from '../plan/recipe.ts'
import type { RawCatalog } from './catalog-normal.ts'
import { compileProgram } from './catalog-program.ts'
import { runProgram } from './process.ts'

export interface CompiledCatalog {
  readonly catalog: RawCatalog
  /** In modulepath order; paths relative to the environment. */
  readonly modules: readonly PuppetModule[]
}

export interface PuppetModule {
  readonly name: string
  readonly path: string
}

export interface CompileOptions {
  /** Folder of the unpacked tool tree; it is not written to. */
  readonly tools: string
  /** Absolute folder of the environment, seen read-only. */
  readonly environment: string
  readonly signal: AbortSignal
}

export type Compile = (input: CatalogInput, options: CompileOptions) => Promise<CompiledCatalog>

/** Throws PUPPET_COMPILE or PUPPET_FACT_UNDECLARED with file (relative to the environment's parent) and line. */
export async function compileCatalog(input: CatalogInput, options: CompileOptions): Promise<CompiledCatalog> {
  const program = ['bash', '-euc', prepareRoot, 'bash', options.tools, options.environment]
  const facts = { ...input.facts, role: input.role }
  const result = await runProgram(program, {
    isolation: 'namespace',
    env: { LC_ALL: 'C.UTF-8' },
    input: `${JSON.stringify({ node: input.node, facts })}\n${compileProgram}`,
    signal: options.signal,
  })
  return readAnswer(input, result)
}

/** The catalog in what the program printed; throws as compileCatalog does. */
export function readAnswer(
  input: CatalogInput,
  result: { readonly stdout: string; readonly stderr: string },
): CompiledCatalog {
  const answer = parseAnswer(result.stdout)
  if (answer !== undefined && 'catalog' in answer) return answer
  if (answer !== undefined && 'error' in answer) throw refused(answer.error, input)
  throw new ImgError('PUPPET_COMPILE', `puppet broke off while it compiled role ${input.role}`, {
    hint: 'the lines below are what it printed; `img doctor` checks the programs this needs',
    path: input.environment,
    output: result.stderr.slice(-4000),
  })
}

/** stdin: one line of input for the program, then the program. Mounts go with the namespace this runs in. */
const prepareRoot = `
tools=$1 environment=$2
mount -t tmpfs -o mode=0755 tmpfs "$tools/run"
mkdir -p "$tools/run/img/environments/production" "$tools/run/img/puppet"
mount --bind "$environment" "$tools/run/img/environments/production"
mount -o remount,bind,ro "$tools/run/img/environments/production"
IFS= read -r line
printf '%s\\n' "$line" > "$tools/run/img/input.json"
cat > "$tools/run/img/compile.rb"
exec chroot "$tools" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 TZ=UTC HOME=/run/img \\
  /usr/bin/ruby --disable=did_you_mean /run/img/compile.rb
`

interface CompileFailure {
  readonly message: string
  readonly file?: string | null
  readonly line?: number | null
  readonly undeclared?: string | null
}

function parseAnswer(stdout: string): CompiledCatalog | { readonly error: CompileFailure } | undefined {
  try {
    return JSON.parse(stdout) as CompiledCatalog | { readonly error: CompileFailure }
  } catch {
    // Puppet ended before it could answer; stderr tells why.
    return undefined
  }
}

function refused(failure: CompileFailure, input: CatalogInput): ImgError {
  const inRepository = (text: string): string => text.replaceAll(mountPoint, input.environment)
  const path = inRepository(failure.file ?? input.environment)
  const fields = typeof failure.line === 'number' ? { path, line: failure.line } : { path }
  const place = typeof failure.line === 'number' ? `${path}:${failure.line}` : path
  if (typeof failure.undeclared === 'string') {
    const fact = failure.undeclared
    const message = `${place}: the fact ${fact} is used but not declared`
    return new ImgError('PUPPET_FACT_UNDECLARED', message, {
      hint: `declare it in the imgfile: puppet({ …, facts: ${nested(fact.split('.'))} })`,
      found: fact,
      validOptions: [...new Set([...Object.keys(input.facts), 'role'])].toSorted(),
      ...fields,
    })
  }
  const message = inRepository(failure.message).replace(/^Evaluation Error: /, '')
  const variable = /Unknown variable: '(?:::)?(\w+)'/.exec(message)?.[1]
  return new ImgError('PUPPET_COMPILE', `${place}: ${message}`, {
    hint:
      variable === undefined
        ? `correct the manifest; role ${input.role} was compiled for node ${input.node}`
        : `if ${variable} is a fact, declare it in the imgfile and read it as $facts['${variable}']`,
    ...fields,
  })
}

const nested = ([name, ...rest]: readonly string[]): string =>
  name === undefined ? '…' : `{ ${name}: ${nested(rest)} }`

const mountPoint = '/run/img/environments/production'
