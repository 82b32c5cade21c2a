// Reads a tar stream as GNU tar writes it with --format=posix. Names and attribute values stay bytes (as latin1 text):
// a reader that decodes UTF-8 would call two different file capabilities the same.

export interface TarEntry {
  readonly path: string
  /** `0` file, `1` hardlink, `2` symlink, `3` and `4` devices, `5` folder, `6` fifo. */
  readonly type: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  /** Whole seconds; tools that fill filesystems keep no more. */
  readonly mtime: number
  readonly link: string
  readonly device: string
  readonly attributes: Readonly<Record<string, string>>
}

export interface TarVisitor {
  /** What returns takes the content, part by part. */
  entry(entry: TarEntry): ((part: Uint8Array) => void) | undefined
  end(entry: TarEntry): void
}

export async function readTar(stream: AsyncIterable<Buffer>, visitor: TarVisitor): Promise<void> {
  let pending: Buffer = Buffer.alloc(0)
  let state: State = { kind: 'header', pax: {} }
  for await (const part of stream) {
    let rest = pending.length === 0 ? part : Buffer.concat([pending, part])
    for (;;) {
      const step = advance(state, rest, visitor)
      if (step === undefined) break
      state = step.state
      rest = step.rest
    }
    pending = rest
  }
  if (state.kind !== 'end') throw new Error('the tar stream ends in the middle of an entry')
}

type Pax = Readonly<Record<string, string>>
type State =
  | { readonly kind: 'header'; readonly pax: Pax }
  | { readonly kind: 'pax'; readonly size: number }
  | {
      readonly kind: 'content'
      readonly entry: TarEntry
      readonly left: number
      readonly take: ((part: Uint8Array) => void) | undefined
    }
  | { readonly kind: 'padding'; readonly left: number; readonly pax: Pax }
  | { readonly kind: 'end' }

/** One step further, or undefined when more bytes are needed. */
function advance(
  state: State,
  bytes: Buffer,
  visitor: TarVisitor,
): { readonly state: State; readonly rest: Buffer } | undefined {
  switch (state.kind) {
    case 'header':
      if (bytes.length < 512) return undefined
      return { state: readHeader(bytes, state.pax, visitor), rest: bytes.subarray(512) }
    case 'pax': {
      if (bytes.length < state.size) return undefined
      const pax = decodePax(bytes.subarray(0, state.size))
      return { state: padding(state.size, pax), rest: bytes.subarray(state.size) }
    }
    case 'content': {
      if (bytes.length === 0 && state.left > 0) return undefined
      const part = bytes.subarray(0, Math.min(state.left, bytes.length))
      if (part.length > 0) state.take?.(part)
      const left = state.left - part.length
      const rest = bytes.subarray(part.length)
      if (left > 0) return { state: { ...state, left }, rest }
      visitor.end(state.entry)
      return { state: padding(state.entry.size, {}), rest }
    }
    case 'padding':
      if (bytes.length < state.left) return undefined
      return { state: { kind: 'header', pax: state.pax }, rest: bytes.subarray(state.left) }
    case 'end':
      return bytes.length === 0 ? undefined : { state, rest: Buffer.alloc(0) }
  }
}

const padding = (size: number, pax: Pax): State => ({
  kind: 'padding',
  left: (512 - (size % 512)) % 512,
  pax,
})

function readHeader(bytes: Buffer, pax: Pax, visitor: TarVisitor): State {
  if (bytes[0] === 0) return { kind: 'end' }
  const type = String.fromCharCode(bytes[156] ?? 0)
  const ownSize = readNumber(bytes, 124, 12)
  if (type === 'x') return { kind: 'pax', size: ownSize }
  const size = pax['size'] === undefined ? ownSize : Number(pax['size'])
  const entry: TarEntry = {
    path: (pax['path'] ?? readPath(bytes)).replace(/^\.\/(?=.)|\/$/g, ''),
    type,
    mode: readNumber(bytes, 100, 8),
    uid: pax['uid'] === undefined ? readNumber(bytes, 108, 8) : Number(pax['uid']),
    gid: pax['gid'] === undefined ? readNumber(bytes, 116, 8) : Number(pax['gid']),
    size: type === '0' ? size : 0,
    mtime: Math.floor(pax['mtime'] === undefined ? readNumber(bytes, 136, 12) : Number(pax['mtime'])),
    link: (pax['linkpath'] ?? readText(bytes, 157, 100)).replace(type === '1' ? /^\.\// : /^$/, ''),
    device: type === '3' || type === '4' ? `${readNumber(bytes, 329, 8)}:${readNumber(bytes, 337, 8)}` : '',
    attributes: Object.fromEntries(
      Object.entries(pax).flatMap(([name, value]) =>
        name.startsWith(attribute) ? [[name.slice(attribute.length), value]] : [],
      ),
    ),
  }
  return { kind: 'content', entry, left: entry.size, take: visitor.entry(entry) }
}

const attribute = 'SCHILY.xattr.'

const readPath = (bytes: Buffer): string => {
  const prefix = readText(bytes, 345, 155)
  const name = readText(bytes, 0, 100)
  return prefix === '' ? name : `${prefix}/${name}`
}

function readText(bytes: Buffer, start: number, length: number): string {
  const field = bytes.subarray(start, start + length)
  const end = field.indexOf(0)
  return field.toString('latin1', 0, end === -1 ? length : end)
}

const readNumber = (bytes: Buffer, start: number, length: number): number =>
  Number.parseInt(readText(bytes, start, length).trim() || '0', 8)

/** Records of `length key=value\n`, where the length counts itself. */
function decodePax(bytes: Buffer): Pax {
  const pax: Record<string, string> = {}
  let rest = bytes
  while (rest.length > 0) {
    const space = rest.indexOf(0x20)
    const length = Number(rest.toString('latin1', 0, space))
    if (!(length > space)) throw new Error('a record of extended tar attributes is damaged')
    const record = rest.toString('latin1', space + 1, length - 1)
    const equals = record.indexOf('=')
    pax[record.slice(0, equals)] = record.slice(equals + 1)
    rest = rest.subarray(length)
  }
  return pax
}
