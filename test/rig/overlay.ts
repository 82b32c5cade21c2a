type Change =
  | { readonly offset: number; readonly data: Buffer }
  | { readonly offset: number; readonly length: number }

const cluster = 65_536

/** A qcow2 file of version 3 whose clusters are these, data or (without data) zeros; whole clusters, small disks. */
export function renderOverlay(size: number, changes: readonly Change[]): Buffer {
  const header = Buffer.alloc(cluster)
  header.writeUInt32BE(0x514649fb, 0)
  header.writeUInt32BE(3, 4)
  header.writeUInt32BE(16, 20)
  header.writeBigUInt64BE(BigInt(size), 24)
  header.writeUInt32BE(1, 36)
  header.writeBigUInt64BE(BigInt(cluster), 40)
  header.writeUInt32BE(112, 100)
  const top = Buffer.alloc(cluster)
  top.writeBigUInt64BE(BigInt(2 * cluster) | (1n << 63n), 0)
  const table = Buffer.alloc(cluster)
  const parts: Buffer[] = [header, top, table]
  for (const change of changes) {
    const length = 'data' in change ? change.data.length : change.length
    for (let at = 0; at < length; at += cluster) {
      const entry = ((change.offset + at) / cluster) * 8
      if ('data' in change) {
        table.writeBigUInt64BE(BigInt(parts.length * cluster) | (1n << 63n), entry)
        parts.push(change.data.subarray(at, at + cluster))
      } else table.writeBigUInt64BE(1n, entry)
    }
  }
  return Buffer.concat(parts)
}
