import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeListParser, readPackageList, type ListedPackage } from '../../../cache/mirror/package-list.ts'
import { makeFolder } from '../../rig/fake-archive.ts'

let folder: ReturnType<typeof makeFolder>
beforeEach(() => {
  folder = makeFolder()
})
afterEach(() => folder.remove())

const text = `Package: hello
Version: 2.10-5
Description: a friendly
 greeting program
Filename: pool/main/h/hello/hello_2.10-5_amd64.deb
Size: 53228
SHA256: 0123456789012345678901234567890123456789012345678901234567890123

SHA256: 1123456789012345678901234567890123456789012345678901234567890123
Size: 7
Filename: pool/main/w/world/world_1_all.deb
Version: 1
Package: world

Package: virtual
Version: 3
`
const expected: readonly ListedPackage[] = [
  {
    name: 'hello',
    version: '2.10-5',
    file: 'pool/main/h/hello/hello_2.10-5_amd64.deb',
    size: 53_228,
    sha256: '0123456789012345678901234567890123456789012345678901234567890123',
  },
  {
    name: 'world',
    version: '1',
    file: 'pool/main/w/world/world_1_all.deb',
    size: 7,
    sha256: '1123456789012345678901234567890123456789012345678901234567890123',
  },
]
/** The text above, by xz 5.4. */
const xz =
  '/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4AGFALtdACgYSGbb2jCF/hblXKh4+VxOOUP4af9UyCy9UbYAMt3Aw0Ru+N2+fGxygQ8Wgqku36OHSykb2KK/' +
  'bEVfGhycrLBRynAYkmCLR6TPD8dzzeiG81lZsORVT+MlsfC71eJE7V2NVY8IgIFlmRk9lyxX3i1G8hRR6y3nai+xPHayDp0z0RFtY84xBpUQaoQaW+Xi' +
  'vq4+uGN84mi7lRZydYck7a6nDzmc05IeHIJpUUvjx124ce997w0v3rXWewAAAI0uzxlaZND0AAHXAYYDAABEhno7scRn+wIAAAAABFla'

const read = async (bytes: Buffer, index: string): Promise<readonly ListedPackage[]> => {
  const file = join(folder.path, 'list')
  writeFileSync(file, bytes)
  const listed: ListedPackage[] = []
  await readPackageList({ file, index }, (one) => listed.push(one))
  return listed
}

test('plain, gz and xz are the same list', async () => {
  expect(await read(Buffer.from(text), 'main/binary-amd64/Packages')).toEqual(expected)
  expect(await read(gzipSync(text), 'main/binary-amd64/Packages.gz')).toEqual(expected)
  expect(await read(Buffer.from(xz, 'base64'), 'main/binary-amd64/Packages.xz')).toEqual(expected)
})

test('wherever it is cut into chunks', () => {
  const bytes = Buffer.from(text)
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const listed: ListedPackage[] = []
    const parser = makeListParser((one) => listed.push(one))
    parser.write(bytes.subarray(0, cut))
    parser.write(bytes.subarray(cut))
    parser.end()
    expect(listed).toEqual(expected)
  }
})

test('nothing at all', async () => {
  expect(await read(Buffer.alloc(0), 'Packages')).toEqual([])
})

test.each(['Packages.xz', 'Packages.gz'])('a damaged %s is an error, not a short list', async (index) => {
  const whole = index.endsWith('.xz') ? Buffer.from(xz, 'base64') : gzipSync(text)
  await expect(read(whole.subarray(0, whole.length - 20), index)).rejects.toThrow(/./)
  const flipped = Buffer.from(whole)
  flipped[60] = (flipped[60] ?? 0) ^ 0xff
  await expect(read(flipped, index)).rejects.toThrow(/./)
})
