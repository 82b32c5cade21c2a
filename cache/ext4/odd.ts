// What this reader does not know, or what is damaged: whoever meets it does without the reader.

/** The message completes "the filesystem …". */
export class Ext4Odd extends Error {
  override readonly name = 'Ext4Odd'
}
