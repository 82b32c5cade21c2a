// Pure. Sections added to an EFI program, by which a boot stub becomes a unified kernel image.

export interface NewSection {
  /** `.linux`; at most eight characters. */
  readonly name: string
  readonly size: number
  /** Run, not only read. */
  readonly code?: boolean
}

export interface PlacedSections {
  /** The program with its new headers; the sections' bytes are written after it. */
  readonly program: Buffer
  /** Where in the file each section begins, in order. */
  readonly offsets: readonly number[]
  /** Bytes of the whole file. */
  readonly size: number
}

/** Undefined when the program is none we know, or its headers have no room. */
export function placeSections(stub: Uint8Array, sections: readonly NewSection[]): PlacedSections | undefined {
  const program = Buffer.from(stub)
  if (program.length < 64 || program.readUInt16LE(0) !== dosMagic) return undefined
  const coff = program.readUInt32LE(60) + 4
  const optional = coff + 20
  if (program.length < optional + 112 || program.readUInt32LE(coff - 4) !== peMagic) return undefined
  if (program.readUInt16LE(optional) !== pe32Plus) return undefined
  const count = program.readUInt16LE(coff + 2)
  const table = optional + program.readUInt16LE(coff + 16)
  const [alignment, fileAlignment] = [
    program.readUInt32LE(optional + 32),
    program.readUInt32LE(optional + 36),
  ]
  const end = table + (count + sections.length) * headerSize
  if (end > program.readUInt32LE(optional + 60)) return undefined
  let memory = endInMemory(program, table, count)
  let file = roundUp(program.length, fileAlignment)
  const offsets: number[] = []
  for (const [index, { name, size, code = false }] of sections.entries()) {
    memory = roundUp(memory, alignment)
    const at = table + (count + index) * headerSize
    program.fill(0, at, at + headerSize)
    program.write(name, at, 8, 'latin1')
    program.writeUInt32LE(size, at + 8)
    program.writeUInt32LE(memory, at + 12)
    program.writeUInt32LE(roundUp(size, fileAlignment), at + 16)
    program.writeUInt32LE(file, at + 20)
    program.writeUInt32LE(code ? readableCode : readableData, at + 36)
    offsets.push(file)
    memory += size
    file += roundUp(size, fileAlignment)
  }
  program.writeUInt16LE(count + sections.length, coff + 2)
  program.writeUInt32LE(roundUp(memory, alignment), optional + 56)
  // A checksum is for drivers; zero says there is none.
  program.writeUInt32LE(0, optional + 64)
  return { program, offsets, size: file }
}

function endInMemory(program: Buffer, table: number, count: number): number {
  let end = 0
  for (let at = table; at < table + count * headerSize; at += headerSize) {
    end = Math.max(end, program.readUInt32LE(at + 12) + program.readUInt32LE(at + 8))
  }
  return end
}

const roundUp = (value: number, to: number): number => Math.ceil(value / to) * to

const dosMagic = 0x5a4d
const peMagic = 0x4550
const pe32Plus = 0x20b
const headerSize = 40
const readableCode = 0x6000_0020
const readableData = 0x4000_0040
