// A blob of a remote, whole and as its name says.

import { sha256 } from '../entries.ts'
import { blobName, type Remote, RemoteError } from './remote.ts'

/** Throws RemoteError, also when it is not there: whoever asks was told by a signature that it is. */
export async function readBlob(
  remote: Remote,
  digest: string,
  options: { readonly signal: AbortSignal; readonly limit: number },
): Promise<Buffer> {
  const bytes = await remote.read(blobName(digest), options)
  if (bytes === undefined) throw new RemoteError('answer', `${remote.name} lacks the blob ${digest}`)
  checkBlob(remote, digest, bytes)
  return bytes
}

export function checkBlob(remote: Remote, digest: string, bytes: Buffer): void {
  const found = sha256(bytes)
  if (found === digest) return
  throw new RemoteError('answer', `${remote.name} gives other bytes as blob ${digest}: they are ${found}`)
}
