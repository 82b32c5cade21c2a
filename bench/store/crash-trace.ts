// What a process did to files below a folder, by strace: every change in order, with its bytes.

import { readFileSync } from 'node:fs'
import { runProgram } from '../../tasks/run/process.ts'

/** Files are numbered as they are made; folders are their paths. */
export type Change =
  | { readonly do: 'mkdir' | 'rmdir' | 'unlink' | 'sync-folder'; readonly path: string }
  | { readonly do: 'name'; readonly path: string; readonly file: number }
  | { readonly do: 'rename'; readonly path: string; readonly to: string }
  | { readonly do: 'write'; readonly file: number; readonly at: number; readonly data: Buffer }
  | { readonly do: 'truncate'; readonly file: number; readonly size: number }
  | { readonly do: 'sync-file'; readonly file: number }
  /** A line of its output: what it promised. */
  | { readonly do: 'say'; readonly text: string }

const calls =
  'openat,close,write,pwrite64,writev,pwritev,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,rmdir,ftruncate,truncate,copy_file_range,sendfile,fallocate'

export async function traceChanges(
  folder: string,
  traceFile: string,
  argv: readonly string[],
): Promise<readonly Change[]> {
  const strace = ['strace', '-f', '-qq', '-xx', '-s', '100000000', '-o', traceFile, '-e', `trace=${calls}`]
  const env = { UV_THREADPOOL_SIZE: '1', PATH: process.env['PATH'] ?? '' }
  const { exitCode, stderr } = await runProgram([...strace, ...argv], { env })
  if (exitCode !== 0) throw new Error(stderr)
  return parseTrace(readFileSync(traceFile, 'latin1'), folder)
}

interface OpenFile {
  readonly path: string
  /** Undefined for a folder. */
  readonly file: number | undefined
  at: number
  readonly appends: boolean
}

function parseTrace(text: string, folder: string): readonly Change[] {
  const changes: Change[] = []
  const open = new Map<number, OpenFile>()
  const names = new Map<string, number>()
  const sizes: number[] = []
  const isOurs = (path: string): boolean => path === folder || path.startsWith(`${folder}/`)
  const write = (target: OpenFile, data: Buffer, at: number): void => {
    const { file } = target
    if (file === undefined) return
    changes.push({ do: 'write', file, at, data })
    sizes[file] = Math.max(sizes[file]!, at + data.length)
  }
  const openFile = (path: string, flags: string, fd: number): void => {
    if (/O_CREAT/.test(flags) && !names.has(path)) {
      names.set(path, sizes.push(0) - 1)
      changes.push({ do: 'name', path, file: names.get(path)! })
    }
    const file = names.get(path)
    if (file !== undefined && /O_TRUNC/.test(flags) && sizes[file] !== 0) {
      changes.push({ do: 'truncate', file, size: 0 })
      sizes[file] = 0
    }
    open.set(fd, { path, file, at: 0, appends: /O_APPEND/.test(flags) })
  }
  for (const { name, args, result } of joinLines(text)) {
    const paths = [...args.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, hex = '']) => unhex(hex))
    const [path = '', to = ''] = paths.map(String)
    const fd = Number.parseInt(args)
    const target = open.get(fd)
    if (name === 'openat' && isOurs(path)) openFile(path, args.slice(args.lastIndexOf('"')), result)
    else if (name === 'openat') open.delete(result)
    else if (name === 'close') open.delete(fd)
    else if (name === 'write' && fd === 1) changes.push({ do: 'say', text: String(paths[0]) })
    else if (name === 'write' && target !== undefined) {
      if (target.appends && target.file !== undefined) target.at = sizes[target.file]!
      write(target, paths[0]!.subarray(0, result), target.at)
      target.at += result
    } else if (name === 'pwrite64' && target !== undefined) {
      write(target, paths[0]!.subarray(0, result), Number(args.slice(args.lastIndexOf(',') + 1)))
    } else if ((name === 'fsync' || name === 'fdatasync') && target !== undefined) {
      const { file } = target
      changes.push(file === undefined ? { do: 'sync-folder', path: target.path } : { do: 'sync-file', file })
    } else if (name === 'ftruncate' && target?.file !== undefined) {
      const size = Number(args.slice(args.lastIndexOf(',') + 1))
      changes.push({ do: 'truncate', file: target.file, size })
      sizes[target.file] = size
    } else if (name === 'rename' && isOurs(path)) {
      changes.push({ do: 'rename', path, to })
      names.set(to, names.get(path)!)
      names.delete(path)
    } else if (name === 'link' && isOurs(path)) {
      names.set(to, names.get(path)!)
      changes.push({ do: 'name', path: to, file: names.get(path)! })
    } else if (name === 'unlink' && isOurs(path)) {
      names.delete(path)
      changes.push({ do: 'unlink', path })
    } else if ((name === 'mkdir' || name === 'rmdir') && isOurs(path)) changes.push({ do: name, path })
    else if (target !== undefined || isOurs(path)) throw new Error(`${name} of ${path} is not understood`)
  }
  return changes
}

interface Line {
  readonly name: string
  readonly args: string
  readonly result: number
}

/** Calls that succeeded, when they ended. */
function* joinLines(text: string): Generator<Line> {
  const begun = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [, thread = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    if (rest.endsWith(' <unfinished ...>')) {
      begun.set(thread, rest.slice(0, -' <unfinished ...>'.length))
      continue
    }
    const whole = rest.replace(/^<\.\.\. \w+ resumed>/, () => begun.get(thread) ?? '')
    const open = whole.indexOf('(')
    const [, args, result] = /^\((.*)\) += (\d+)/.exec(whole.slice(open)) ?? []
    if (args !== undefined) yield { name: whole.slice(0, open), args, result: Number(result) }
  }
}

const unhex = (text: string): Buffer => Buffer.from(text.replaceAll('\\x', ''), 'hex')
