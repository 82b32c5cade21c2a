import { expect, test } from 'vitest'
import { digestsIn } from '../../../tasks/run/medium-digests.ts'

const one = '1'.repeat(64)
const two = '2'.repeat(64)

test.each([
  {
    name: "Debian's images",
    text: `${one}  ./netboot/debian-installer/amd64/linux\n${two}  ./netboot/debian-installer/amd64/initrd.gz\n`,
    listed: 'http://a.example.org/images/SHA256SUMS',
    places: {
      kernel: 'http://a.example.org/images/netboot/debian-installer/amd64/linux',
      initrd: 'http://a.example.org/images/netboot/debian-installer/amd64/initrd.gz',
    },
    digests: { kernel: one, initrd: two },
  },
  {
    name: "Ubuntu's ISOs",
    text: `${one} *ubuntu-desktop.iso\n${two} *ubuntu-server.iso\n`,
    listed: 'https://a.example.org/24.04/SHA256SUMS',
    places: { iso: 'https://a.example.org/24.04/ubuntu-server.iso' },
    digests: { iso: two },
  },
  {
    name: "Red Hat's trees",
    text: `[checksums]\nimages/pxeboot/initrd.img = sha256:${two}\nimages/pxeboot/vmlinuz = sha256:${one}\n`,
    listed: 'https://a.example.org/9/os/.treeinfo',
    places: {
      kernel: 'https://a.example.org/9/os/images/pxeboot/vmlinuz',
      initrd: 'https://a.example.org/9/os/images/pxeboot/initrd.img',
    },
    digests: { kernel: one, initrd: two },
  },
])('$name', ({ text, listed, places, digests }) => {
  expect(digestsIn(text, listed, places)).toEqual(digests)
})

test('one file that is not listed is none', () => {
  const places = { kernel: 'http://a.example.org/linux', initrd: 'http://a.example.org/initrd.gz' }
  expect(digestsIn(`${one}  linux\n`, 'http://a.example.org/SHA256SUMS', places)).toBeUndefined()
})
