// S3 and what speaks like it: the web server's remote with signed requests and "only if there is nothing yet".

import { createHash } from 'node:crypto'
import { AwsV4Signer } from 'aws4fetch'
import { type Ask, type Authorize, httpRequest } from './http-request.ts'
import { httpRemote } from './http.ts'
import type { Remote } from './remote.ts'

export interface S3Options {
  readonly bucket: string
  /** Of every name; without slashes at its ends. */
  readonly prefix: string
  readonly region: string
  /** Of a server that is not AWS; the bucket is then the first part of the path. */
  readonly endpoint?: URL
  /** Absent: a public bucket, read only. */
  readonly credentials?: S3Credentials
  /** False for servers that refuse or ignore `If-None-Match` on PUT. */
  readonly conditional: boolean
}

export interface S3Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export function s3Remote(options: S3Options): Remote {
  const { bucket, prefix, region, endpoint, credentials, conditional } = options
  const base =
    endpoint === undefined
      ? new URL(`https://${bucket}.s3.${region}.amazonaws.com/${prefix}`)
      : new URL([endpoint.href.replace(/\/$/, ''), bucket, prefix].filter((part) => part !== '').join('/'))
  const authorize = credentials === undefined ? undefined : signer(credentials, region)
  const ask: Ask = (request) => httpRequest({ ...request, ...(authorize && { authorize }) })
  const remote = httpRemote(base, { conditional, ask })
  return { ...remote, name: ['s3:/', bucket, prefix].filter((part) => part !== '').join('/') }
}

/**
 * An unsigned body: what it must be is checked by its digest when it is read. Google's and Cloudflare's front ends rewrite
 * `accept-encoding`, which a signature must not cover then.
 */
function signer(credentials: S3Credentials, region: string): Authorize {
  return async ({ method, url, headers }) => {
    const kept = Object.entries(headers).filter(([name]) => name !== 'accept-encoding')
    const signing = new AwsV4Signer({
      method,
      url: url.href,
      headers: {
        ...Object.fromEntries(kept),
        'x-amz-content-sha256': method === 'PUT' ? 'UNSIGNED-PAYLOAD' : emptyDigest,
      },
      service: 's3',
      region,
      ...credentials,
    })
    const signed = await signing.sign()
    return Object.fromEntries(signed.headers)
  }
}

const emptyDigest = createHash('sha256').update('').digest('hex')
