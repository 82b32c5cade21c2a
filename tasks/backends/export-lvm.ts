// Where the logical volumes of an LVM2 physical volume are: its description is text, in a ring behind the label.
// Only linear volumes in one piece on one physical volume: what an installer makes.

import type { BlockSource } from '../../cache/block-source.ts'

export interface LogicalVolume {
  /** `/dev/VG/LV` */
  readonly name: string
  /** Bytes from the start of the physical volume. */
  readonly start: number
  readonly size: number
}

/** None for what is no physical volume, or one of a kind not known here. */
export function readLogicalVolumes(part: BlockSource): readonly LogicalVolume[] {
  const text = readDescription(part)
  return text === undefined ? [] : parseDescription(text)
}

/** Pure. The text of the newest description, as `vgcfgbackup` shows it. */
export function parseDescription(text: string): readonly LogicalVolume[] {
  const [, group, body = ''] = /^([A-Za-z0-9+_.-]+) \{\n([^]*)/m.exec(text) ?? []
  const extent = Number(/^extent_size = (\d+)/m.exec(body)?.[1] ?? 0) * sector
  const volumes = sectionOf(body, 'physical_volumes')
  const start = Number(/\bpe_start = (\d+)/.exec(volumes)?.[1] ?? 0) * sector
  const isOne = [...volumes.matchAll(/\bpe_start = /g)].length === 1
  if (group === undefined || extent === 0 || start === 0 || !isOne) return []
  return entriesOf(sectionOf(body, 'logical_volumes')).flatMap(([name, volume]) => {
    const count = /\bsegment_count = (\d+)/.exec(volume)?.[1]
    const linear = /\btype = "striped"[^]*\bstripe_count = 1\b/.test(volume)
    const at = /\bstripes = \[\s*"[^"]+", (\d+)\s*\]/.exec(volume)?.[1]
    const extents = /\bextent_count = (\d+)/.exec(volume)?.[1]
    if (count !== '1' || !linear || at === undefined || extents === undefined) return []
    return [
      { name: `/dev/${group}/${name}`, start: start + Number(at) * extent, size: Number(extents) * extent },
    ]
  })
}

const sector = 512

/** The label names the area of the descriptions, whose header names the newest. */
function readDescription(part: BlockSource): string | undefined {
  const label = Buffer.alloc(sector)
  part.read(sector, label)
  if (label.toString('latin1', 0, 8) !== 'LABELONE' || label.toString('latin1', 24, 32) !== 'LVM2 001')
    return undefined
  // Behind the volume's id and size: data areas up to an empty one, then areas of descriptions.
  let at = label.readUInt32LE(20) + 40
  while (at + 32 <= sector && label.readBigUInt64LE(at) !== 0n) at += 16
  at += 16
  if (at + 16 > sector) return undefined
  const area = { start: Number(label.readBigUInt64LE(at)), size: Number(label.readBigUInt64LE(at + 8)) }
  if (area.start === 0 || area.start + area.size > part.size) return undefined
  const header = Buffer.alloc(sector)
  part.read(area.start, header)
  if (header.toString('latin1', 4, 20) !== ' LVM2 x[5A%r0N*>') return undefined
  const [offset, length] = [Number(header.readBigUInt64LE(40)), Number(header.readBigUInt64LE(48))]
  if (offset < sector || offset >= area.size || length === 0 || length > area.size - sector) return undefined
  const text = Buffer.alloc(length)
  const straight = Math.min(length, area.size - offset)
  part.read(area.start + offset, text.subarray(0, straight))
  // The ring goes on behind the header.
  if (straight < length) part.read(area.start + sector, text.subarray(straight))
  return text.toString('utf8')
}

/** What is between the braces of a section of this name. */
function sectionOf(text: string, name: string): string {
  const head = new RegExp(`^${name} \\{$`, 'm').exec(text)
  return head === null ? '' : untilClosed(text.slice(head.index + head[0].length))
}

function entriesOf(text: string): readonly (readonly [name: string, body: string])[] {
  const entries: (readonly [string, string])[] = []
  const head = /^([A-Za-z0-9+_.-]+) \{$/gm
  for (let found = head.exec(text); found !== null; found = head.exec(text)) {
    const body = untilClosed(text.slice(head.lastIndex))
    entries.push([found[1]!, body])
    head.lastIndex += body.length
  }
  return entries
}

function untilClosed(text: string): string {
  let depth = 1
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '{') depth++
    else if (text[at] === '}' && --depth === 0) return text.slice(0, at)
  }
  return text
}
