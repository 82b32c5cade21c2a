// The language of partman's recipes: `min priority max filesystem { … } .` per partition.

export interface SchemePartition {
  /** Megabytes of 1,000,000 bytes, as partman counts; `max` -1 is without limit. */
  readonly min: number
  readonly priority: number
  readonly max: number
  /** `ext4`, `linux-swap`, `free`, `$default_filesystem`. */
  readonly filesystem: string
  /** `method`, `mountpoint`, `options/noatime`, `$iflabel`… with what stands between the braces. */
  readonly fields: ReadonlyMap<string, string>
}

export type ParsedScheme =
  | { readonly ok: true; readonly partitions: readonly SchemePartition[] }
  | { readonly ok: false; readonly message: string; readonly hint: string }

/** `memory` in megabytes stands for the percentages of RAM a size may hold. */
export function parseScheme(recipe: string, memory: number): ParsedScheme {
  const words = recipe.split(/\s+/).filter(Boolean)
  const name = words.findIndex((word) => word === ':' || word === '::')
  const partitions: SchemePartition[] = []
  let current: string[] = []
  for (const word of words.slice(name + 1)) {
    if (word !== '.') {
      current.push(word)
      continue
    }
    const partition = parsePartition(current, memory)
    if (typeof partition === 'string') {
      return {
        ok: false,
        message: `partition ${partitions.length + 1} of the recipe: ${partition}`,
        hint: form,
      }
    }
    partitions.push(partition)
    current = []
  }
  if (current.length > 0) {
    return {
      ok: false,
      message: `the recipe's last partition "${current.slice(0, 4).join(' ')}" has no end`,
      hint: 'end it with " ."',
    }
  }
  if (partitions.length === 0) return { ok: false, message: 'the recipe has no partition', hint: form }
  return { ok: true, partitions }
}

const form =
  'write MIN PRIORITY MAX FILESYSTEM FIELD{ VALUE } … . in megabytes, for example: 500 10000 -1 ext4'

function parsePartition(words: readonly string[], memory: number): SchemePartition | string {
  const [minText = '', priorityText = '', maxText = '', filesystem = '', ...rest] = words
  const min = parseSize(minText, memory)
  const priority = parseSize(priorityText, memory)
  const max = maxText === '-1' ? -1 : parseSize(maxText, memory)
  for (const [size, text] of [
    [min, minText],
    [priority, priorityText],
    [max, maxText],
  ] as const) {
    if (size === undefined) return `"${text}" is no size`
  }
  if (min === undefined || priority === undefined || max === undefined) return 'has no size'
  const fields = parseFields(rest)
  if (typeof fields === 'string') return fields
  // partman corrects these instead of refusing them.
  return {
    min,
    priority: Math.max(priority, min),
    max: max === -1 ? -1 : Math.max(max, min),
    filesystem,
    fields,
  }
}

/** `500`, `100%` of the memory, `500+50%`. */
function parseSize(text: string, memory: number): number | undefined {
  const found = /^(?:(\d+)\+)?(\d+)%$|^(\d+)$/.exec(text)
  if (found === null) return undefined
  const [, base = '0', percent, plain] = found
  return plain === undefined ? Number(base) + Math.trunc((memory * Number(percent)) / 100) : Number(plain)
}

function parseFields(words: readonly string[]): ReadonlyMap<string, string> | string {
  const fields = new Map<string, string>()
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? ''
    if (!word.endsWith('{')) return `"${word}" is no field`
    const end = words.indexOf('}', index)
    if (end === -1) return `the field ${word.slice(0, -1)} is not closed by " }"`
    fields.set(word.slice(0, -1), words.slice(index + 1, end).join(' '))
    index = end
  }
  return fields
}
