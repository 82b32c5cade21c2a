// Sizes as people write them: `4G` is 4 GiB, as in qemu-img.

import { matching, type OptionCheck } from '../tasks/plan/options.ts'

const pattern = /^([1-9]\d{0,8})([MGT])$/

export const isDiskSize: OptionCheck = matching(pattern, "not a size such as '4G' or '900M'")

/** Of a checked size. */
export function diskBytes(size: string): number {
  const [, count = '0', letter = 'M'] = pattern.exec(size) ?? []
  return Number(count) * 1024 ** ({ M: 2, G: 3, T: 4 }[letter] ?? 2)
}
