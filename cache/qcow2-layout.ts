// Pure. The tables of an overlay whose data clusters follow them in order: header, reference counts, L1, L2, data.

export const clusterSize = 65_536

/** Where the data begins in an overlay of a disk of this size. */
export const dataOffset = (size: number): number => layOut(size).data * clusterSize

/** Everything before the data. The data of `clusters` follows in their order; where one is zeros it is not looked at. */
export function renderQcow2(overlay: {
  readonly size: number
  readonly clusters: readonly { readonly number: number; readonly isZero: boolean }[]
  readonly backing: { readonly path: string; readonly format: 'raw' | 'qcow2' }
}): Buffer {
  const { size, clusters, backing } = overlay
  const at = layOut(size)
  const bytes = Buffer.alloc(at.data * clusterSize)
  writeHeader(bytes, { size, backing, at })
  for (let block = 0; block < at.tops - at.counts; block++)
    bytes.writeBigUInt64BE(BigInt((at.counts + block) * clusterSize), clusterSize + block * 8)
  const count = (cluster: number): number => bytes.writeUInt16BE(1, at.counts * clusterSize + cluster * 2)
  for (let cluster = 0; cluster < at.data; cluster++) count(cluster)
  for (let table = 0; table < at.data - at.tables; table++)
    bytes.writeBigUInt64BE(owned(at.tables + table), at.tops * clusterSize + table * 8)
  for (const [place, { number, isZero }] of clusters.entries()) {
    const cluster = at.data + place
    if (!isZero) count(cluster)
    bytes.writeBigUInt64BE(isZero ? 1n : owned(cluster), at.tables * clusterSize + number * 8)
  }
  return bytes
}

/** In clusters: where each part begins. The largest overlay has every cluster of the disk. */
interface Layout {
  readonly counts: number
  readonly tops: number
  readonly tables: number
  readonly data: number
}

function layOut(size: number): Layout {
  const ofDisk = Math.ceil(size / clusterSize)
  const tables = Math.ceil(ofDisk / (clusterSize / 8))
  const topClusters = Math.ceil((tables * 8) / clusterSize)
  // Reference counts of 2 bytes, also of the clusters that hold them.
  const counts = Math.ceil((ofDisk + tables + topClusters + 64) / (clusterSize / 2)) + 1
  const tops = 2 + counts
  return { counts: 2, tops, tables: tops + topClusters, data: tops + topClusters + tables }
}

const owned = (cluster: number): bigint => BigInt(cluster * clusterSize) | (1n << 63n)

function writeHeader(
  bytes: Buffer,
  { size, backing, at }: { size: number; backing: { path: string; format: string }; at: Layout },
): void {
  const [path, format] = [Buffer.from(backing.path), Buffer.from(backing.format)]
  const formatAt = 104
  const pathAt = formatAt + 8 + Math.ceil(format.length / 8) * 8 + 8
  bytes.writeUInt32BE(0x514649fb, 0)
  bytes.writeUInt32BE(3, 4)
  bytes.writeBigUInt64BE(BigInt(pathAt), 8)
  bytes.writeUInt32BE(path.length, 16)
  bytes.writeUInt32BE(16, 20)
  bytes.writeBigUInt64BE(BigInt(size), 24)
  bytes.writeUInt32BE(at.data - at.tables, 36)
  bytes.writeBigUInt64BE(BigInt(at.tops * clusterSize), 40)
  bytes.writeBigUInt64BE(BigInt(clusterSize), 48)
  bytes.writeUInt32BE(1, 56)
  bytes.writeUInt32BE(4, 96)
  bytes.writeUInt32BE(104, 100)
  bytes.writeUInt32BE(0xe2792aca, formatAt)
  bytes.writeUInt32BE(format.length, formatAt + 4)
  format.copy(bytes, formatAt + 8)
  path.copy(bytes, pathAt)
}
