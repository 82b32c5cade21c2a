import type { RunContext } from '../context.ts'
import { runProgram } from './process.ts'
import { findTool, tools, type Tool, type ToolName } from './tools.ts'

export interface HostCheck {
  readonly name: string
  /** `missing`: something cannot work. `limited`: it works, less well. */
  readonly status: 'ok' | 'limited' | 'missing'
  readonly found: string
  readonly wanted?: string
  /** Debian package that brings it. */
  readonly package?: string
  readonly hint?: string
}

/** Whether a tool is there and new enough. */
export async function checkTool(
  name: ToolName,
  context: Pick<RunContext, 'signal'>,
  path?: string,
): Promise<HostCheck> {
  const tool: Tool = tools[name]
  const base = { name, package: tool.package, ...(tool.wanted === undefined ? {} : { wanted: tool.wanted }) }
  const file = findTool(name, path)
  const lacking = tool.optional === true ? 'limited' : 'missing'
  if (file === undefined)
    return { ...base, status: lacking, found: 'nothing', hint: `needed to ${tool.purpose}` }
  if (tool.file !== undefined) return { ...base, status: 'ok', found: file }
  const { stdout, stderr } = await runProgram([file, tool.versionArgument ?? '--version'], {
    signal: context.signal,
    timeoutMs: 10_000,
  })
  const found = /\d+(\.\d+)+/.exec(stdout + stderr)?.[0]
  if (found === undefined) return { ...base, status: 'ok', found: file }
  if (tool.wanted === undefined || !isOlder(found, tool.wanted)) return { ...base, status: 'ok', found }
  return { ...base, status: lacking, found, hint: `too old to ${tool.purpose}` }
}

/** Pure. Dotted numbers, compared number by number. */
export function isOlder(found: string, wanted: string): boolean {
  const [a, b] = [found, wanted].map((version) => version.split('.').map(Number)) as [number[], number[]]
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0)
    if (difference !== 0) return difference < 0
  }
  return false
}
