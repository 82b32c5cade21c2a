// Files edited as editors and tools do it.

import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** One edit as some editor or tool does it. */
export function edit(folder: string, number: number, choose: (below: number) => number): void {
  const file = join(folder, `file-${choose(4)}`)
  const text = `edit ${number}\n`
  switch (choose(8)) {
    case 0:
      writeFileSync(file, text)
      break
    case 1:
      // vim: a probe file, a backup, the new file, the backup away.
      writeFileSync(join(folder, '4913'), '')
      rmSync(join(folder, '4913'))
      writeFileSync(`${file}~`, 'old')
      writeFileSync(file, text)
      rmSync(`${file}~`)
      break
    case 2:
      writeFileSync(join(folder, '.tmp'), text)
      renameSync(join(folder, '.tmp'), file)
      break
    case 3:
      mkdirSync(join(folder, `new-${number}`))
      writeFileSync(join(folder, `new-${number}`, 'inner'), text)
      break
    case 4:
      rmSync(file, { force: true })
      writeFileSync(file, text)
      break
    case 5:
      rmSync(join(folder, 'link'), { force: true })
      symlinkSync(`file-${choose(4)}`, join(folder, 'link'))
      break
    case 6:
      // A folder in another's place, with the same names in it.
      mkdirSync(`${folder}.new`)
      writeFileSync(join(`${folder}.new`, 'file-0'), text)
      renameSync(folder, `${folder}.old`)
      renameSync(`${folder}.new`, folder)
      rmSync(`${folder}.old`, { recursive: true })
      break
    case 7:
      writeFileSync(file, text)
      chmodSync(file, number % 2 === 0 ? 0o755 : 0o644)
      break
  }
}

/** mulberry32, so that a failure can be seen again. */
export function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * below)
  }
}
