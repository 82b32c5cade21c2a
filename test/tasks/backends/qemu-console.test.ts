import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Console } from '../../../tasks/backends/qemu-console.ts'

/** Consoles recorded from qemu, as one text and in pieces that cut lines and escape sequences anywhere. */
describe.each([
  ['panic', 'panic', /Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block\(0,0\)$/],
  ['initramfs', 'initramfs', /^ALERT! {2}\/dev\/vda9 does not exist\. {2}Dropping to a shell!$/],
  ['emergency', 'emergency', /^You are in emergency mode\. After logging in, type "journalctl -xb" to view$/],
  ['no-disk', 'no-boot', /^No bootable device\.$/],
  ['uefi-shell', 'no-boot', /^UEFI Interactive Shell v2\.2$/],
  ['grub-prompt', 'boot-loader', /^grub>$/],
])('the recorded console %s', (name, kind, line) => {
  const text = readFileSync(new URL(`../../fixtures/console/${name}.txt`, import.meta.url), 'utf8')

  it.each([text.length, 7, 1])('is recognised in pieces of %i characters', (size) => {
    const console = new Console()
    const problems = Array.from({ length: Math.ceil(text.length / size) }, (_, index) =>
      console.feed(text.slice(index * size, (index + 1) * size)),
    )
    const first = problems.find((problem) => problem !== undefined)
    expect(first).toEqual({ kind, line: expect.stringMatching(line) })
    expect(console.ready).toBe(false)
  })
})

describe('Console', () => {
  it('sees the login prompt of a good boot and no problem', () => {
    const console = new Console()
    expect(
      console.feed(readFileSync(new URL('../../fixtures/console/login.txt', import.meta.url), 'utf8')),
    ).toBe(undefined)
    expect(console.ready).toBe(true)
    expect(console.tail(3)).toBe(
      '[  103.781702] powernow_k8: Power state transitions not supported\nDebian GNU/Linux 13 trixie-img ttyS0\ntrixie-img login:',
    )
  })

  it('is ready without a getty on the console as well', () => {
    const console = new Console()
    console.feed(
      '[\u001B[0;32m  OK  \u001B[0m] Reached target \u001B[0;1;39mgetty.target\u001B[0m - Login Prompts.\r\n',
    )
    expect(console.ready).toBe(false)
    console.feed(
      '[\u001B[0;32m  OK  \u001B[0m] Reached target \u001B[0;1;39mmulti-user.target\u001B[0m - Multi-User System.\r\n',
    )
    expect(console.ready).toBe(true)
  })

  it('recognises prompts that wait without a newline', () => {
    for (const [text, kind] of [
      ['(initramfs) ', 'initramfs'],
      ['grub rescue> ', 'boot-loader'],
      ['Give root password for maintenance', 'emergency'],
      ['Press Enter for maintenance', 'emergency'],
    ]) {
      expect(new Console().feed(`something\r\n${text}`)?.kind).toBe(kind)
    }
  })

  it('does not take for a problem what only mentions one', () => {
    const text =
      'run "set" at the grub> prompt\r\nthe (initramfs) was left\r\nNo bootable device. was fixed\r\n'
    expect(new Console().feed(text)).toBe(undefined)
  })

  it('shows what the screen showed', () => {
    const console = new Console()
    console.feed('\u001B[0;32mgreen\u001B[0m\r\nold\rnew\r\n\u001B]0;title\u0007bell\u0007\r\nrest')
    expect(console.tail()).toBe('green\nnew\nbell\nrest')
  })

  it('keeps only the last drawing of a progress line', () => {
    const console = new Console()
    console.feed('before\r\n[*  ] Job a (1s)\r\n[ * ] Job a (2s)\r\n[  *] Job a (3s)\r\n')
    expect(console.tail()).toBe('before\n[  *] Job a (3s)')
  })

  it('forgets old lines', () => {
    const console = new Console()
    console.feed(Array.from({ length: 1000 }, (_, index) => `line ${index}\n`).join(''))
    expect(console.tail(1000).split('\n')).toHaveLength(200)
    expect(console.tail(2)).toBe('line 998\nline 999')
  })
})
