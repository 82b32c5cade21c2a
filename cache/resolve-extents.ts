// Which parts of a file hold data. Node cannot ask (no SEEK_HOLE); perl can, and Debian's perl-base is essential. An
// answer only saves time: what is read is still tested for zeros, so without perl the whole file is read.

import { runProgram } from '../tasks/run/process.ts'
import { openDiskChain } from './disk-chain.ts'
import { mergeExtents, parseExtents, type Extent } from './extents.ts'

/** In order, not touching, aligned outwards to blocks (except the file's end). */
export async function resolveExtents(path: string, size: number): Promise<readonly Extent[]> {
  const asked = size === 0 ? '' : await askPerl(path)
  return asked === undefined ? [{ start: 0, end: size }] : parseExtents(asked, size)
}

/** Where a chain may have data: what any of its files says. */
export async function resolveChainExtents(
  paths: readonly string[],
  size: number,
): Promise<readonly Extent[]> {
  const extents = [...(await resolveExtents(paths.at(-1)!, size))]
  for (let from = 0; from < paths.length - 1; from++) {
    const chain = openDiskChain(paths.slice(from))
    extents.push(...chain.own)
    chain.close()
  }
  return mergeExtents(extents, size)
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
