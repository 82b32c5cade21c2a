// Which project a folder is, among all that share a cache. A moved folder is the same one; a second clone is another.

import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'

/**
 * 16 hexadecimal digits. Without the number of the device, which some filesystems get anew each time they are mounted;
 * where a folder has no time of birth, its path tells it from what had its number before.
 */
export function projectIdentity(root: string): string {
  const stat = statSync(root, { bigint: true, throwIfNoEntry: false })
  const isBorn = stat !== undefined && stat.birthtimeNs > 0n
  const said = isBorn ? `${stat.ino} ${stat.birthtimeNs}` : `${stat?.ino ?? ''} ${root}`
  return createHash('sha256').update(said).digest('hex').slice(0, 16)
}
