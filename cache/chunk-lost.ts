/** A chunk is nowhere in the store; the message completes "… of disk.raw". */
export class ChunkLost extends Error {
  override readonly name = 'ChunkLost'
}

/** A pack does not give what its footer says. */
export class PackDamaged extends ChunkLost {}
