// OpenPGP ASCII armour (RFC 9580, section 6): a step's file content is text, a binary keyring is not.

export function armour(base64: string): string {
  const bytes = Buffer.from(base64, 'base64')
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  const checksum = Buffer.alloc(3)
  checksum.writeUIntBE(crc24(bytes), 0, 3)
  return [
    '-----BEGIN PGP PUBLIC KEY BLOCK-----',
    '',
    ...lines,
    `=${checksum.toString('base64')}`,
    '-----END PGP PUBLIC KEY BLOCK-----',
    '',
  ].join('\n')
}

function crc24(bytes: Uint8Array): number {
  let crc = 0xb704ce
  for (const byte of bytes) {
    crc ^= byte << 16
    for (let bit = 0; bit < 8; bit++) {
      crc <<= 1
      if ((crc & 0x1000000) !== 0) crc ^= 0x1864cfb
    }
  }
  return crc & 0xffffff
}
