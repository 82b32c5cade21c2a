import { describe, expect, test } from 'vitest'
import { placeSections } from '../../../tasks/backends/uki-sections.ts'

const coff = 0x84

/** An EFI program with one section, and room for more. */
function stub({ headers = 1024, magic = 0x20b }: { headers?: number; magic?: number } = {}): Buffer {
  const bytes = Buffer.alloc(1536)
  bytes.writeUInt16LE(0x5a4d, 0)
  bytes.writeUInt32LE(0x80, 60)
  bytes.writeUInt32LE(0x4550, 0x80)
  bytes.writeUInt16LE(1, coff + 2)
  bytes.writeUInt16LE(240, coff + 16)
  bytes.writeUInt16LE(magic, coff + 20)
  bytes.writeUInt32LE(4096, coff + 20 + 32)
  bytes.writeUInt32LE(512, coff + 20 + 36)
  bytes.writeUInt32LE(headers, coff + 20 + 60)
  bytes.writeUInt32LE(77, coff + 20 + 64)
  const table = coff + 20 + 240
  bytes.write('.text', table)
  bytes.writeUInt32LE(300, table + 8)
  bytes.writeUInt32LE(4096, table + 12)
  return bytes
}

describe('placeSections', () => {
  test('adds sections behind what is there, in the file and in memory', () => {
    const before = stub()
    const placed = placeSections(before, [
      { name: '.cmdline', size: 5 },
      { name: '.linux', size: 5000, code: true },
    ])!
    expect(placed.offsets).toEqual([1536, 2048])
    expect(placed.size).toBe(2048 + 5120)
    const { program } = placed
    expect(program.readUInt16LE(coff + 2)).toBe(3)
    // From .text at one page, .cmdline at the second, two pages of .linux: ends with the fifth.
    expect(program.readUInt32LE(coff + 20 + 56)).toBe(5 * 4096)
    expect(program.readUInt32LE(coff + 20 + 64)).toBe(0)
    const table = coff + 20 + 240
    const section = (index: number): readonly unknown[] => {
      const at = table + index * 40
      const name = program.toString('latin1', at, at + 8).replace(/\0+$/, '')
      return [name, ...[8, 12, 16, 20, 36].map((field) => program.readUInt32LE(at + field))]
    }
    expect([section(1), section(2)]).toEqual([
      ['.cmdline', 5, 8192, 512, 1536, 0x4000_0040],
      ['.linux', 5000, 12_288, 5120, 2048, 0x6000_0020],
    ])
    expect(before.equals(stub())).toBe(true)
  })

  test.each([
    ['no program', Buffer.alloc(1536)],
    ['too short', Buffer.from('MZ')],
    ['a program for 32 bits', stub({ magic: 0x10b })],
    ['no room in its headers', stub({ headers: coff + 20 + 240 + 79 })],
  ])('%s', (_, bytes) => {
    expect(placeSections(bytes, [{ name: '.linux', size: 1 }])).toBeUndefined()
  })
})
