// Which parts of a file hold data. Node cannot ask (no SEEK_HOLE); perl can, and Debian's perl-base is essential. An
// answer only saves time: what is read is still tested for zeros, so without perl the whole file is read.

import { runProgram } from '../tasks/run/process.ts'
import { chunker } from './cut.ts'

export interface Extent {
  readonly start: number
  readonly end: number
}

/** In order, not touching, aligned outwards to blocks (except the file's end). */
export async function resolveExtents(path: string, size: number): Promise<readonly Extent[]> {
  const asked = size === 0 ? '' : await askPerl(path)
  return asked === undefined ? [{ start: 0, end: size }] : parseExtents(asked, size)
}

export function parseExtents(text: string, size: number): readonly Extent[] {
  const lines = text.split('\n').flatMap((line) => {
    const found = /^(\d+) (\d+)$/.exec(line)
    return found === null ? [] : [{ start: Number(found[1]), end: Number(found[2]) }]
  })
  return mergeExtents(lines, size)
}

/** The same ranges in order, not touching, aligned outwards to blocks (except the file's end). */
export function mergeExtents(ranges: readonly Extent[], size: number): readonly Extent[] {
  const extents: { readonly start: number; end: number }[] = []
  for (const range of ranges.toSorted((one, other) => one.start - other.start)) {
    const start = Math.floor(range.start / chunker.block) * chunker.block
    const end = Math.min(size, Math.ceil(range.end / chunker.block) * chunker.block)
    const last = extents.at(-1)
    if (last !== undefined && last.end >= start) last.end = Math.max(last.end, end)
    else if (end > start) extents.push({ start, end })
  }
  return extents
}

/** What is in the first and in none of the others; both in order, not touching. */
export function* subtractExtents(extents: readonly Extent[], others: readonly Extent[]): Generator<Extent> {
  let next = 0
  for (const { start, end } of extents) {
    while (next < others.length && others[next]!.end <= start) next++
    let from = start
    for (let at = next; at < others.length && others[at]!.start < end; at++) {
      const other = others[at]!
      if (other.start > from) yield { start: from, end: other.start }
      from = Math.max(from, other.end)
    }
    if (from < end) yield { start: from, end }
  }
}

async function askPerl(path: string): Promise<string | undefined> {
  try {
    const { exitCode, stdout } = await runProgram(['perl', '-e', seekScript, path], { env: { LC_ALL: 'C' } })
    return exitCode === 0 && stdout.endsWith('end\n') ? stdout : undefined
  } catch {
    // No perl, no setpriv: reading everything gives the same.
    return undefined
  }
}

/** 3 is SEEK_DATA, 4 is SEEK_HOLE; ENXIO (6) means there is no more data. */
const seekScript = `
open(F, "<", $ARGV[0]) or exit 2;
my $p = 0;
while (1) {
  my $d = sysseek(F, $p, 3);
  if (!defined $d) { last if $! == 6; exit 3 }
  my $h = sysseek(F, $d, 4);
  exit 4 unless defined $h;
  print $d + 0, " ", $h + 0, "\\n";
  $p = $h;
}
print "end\\n";
`
