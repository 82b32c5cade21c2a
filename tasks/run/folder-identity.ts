// Whether a folder is the one it was: who watches or mounted it has that one, not whatever has its name.

import { statSync } from 'node:fs'

/** Undefined for what is no folder. A new one often gets the number of the one just removed, but not its time of birth. */
export function folderIdentity(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stat?.isDirectory() === true ? `${stat.dev} ${stat.ino} ${stat.birthtimeNs}` : undefined
}
