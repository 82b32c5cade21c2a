import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { InstallerConsole } from '../../../tasks/backends/installer-console.ts'

const recorded = (name: string): string => readFileSync(`test/fixtures/installer/${name}.txt`, 'utf8')

describe("Debian's installer", () => {
  test.each([1, 7, 4096])('phases, told in pieces of %d characters', (size) => {
    const console = new InstallerConsole()
    const text = recorded('base-system')
    const phases: (string | undefined)[] = []
    for (let at = 0; at < text.length; at += size) {
      if (console.feed(text.slice(at, at + size))) phases.push(console.phase)
    }
    expect(phases.at(-1)).toBe('Installing the base system')
    if (size > 1000) return
    expect([...new Set(phases)]).toEqual([
      'Detecting network hardware',
      'Detecting link on ens2',
      'Waiting for link-local address',
      'Attempting IPv6 autoconfiguration',
      'Configuring the network with DHCP',
      'Checking the Debian archive mirror',
      'Loading additional components',
      'Setting up the clock',
      'Detecting disks and all other hardware',
      'Starting up the partitioner',
      'Guided partitioning',
      'Partitions formatting',
      'Installing the base system',
    ])
    expect(console.problem).toBeUndefined()
  })

  test('a question with its explanation', () => {
    const console = new InstallerConsole()
    console.feed(recorded('bad-mirror'))
    expect(console.problem).toEqual({
      kind: 'question',
      text: `Choose a mirror of the Debian archive
Bad archive mirror
An error has been detected while trying to use the specified Debian archive
mirror.
Possible reasons for the error are: incorrect mirror specified; mirror is not
available (possibly due to an unreliable network connection); mirror is broken
(for example because an invalid Release file was found); mirror does not
support the correct Debian version.
Additional details may be available in /var/log/syslog or on virtual console 4.
Please check the specified mirror or try a different one.`,
    })
  })

  test('a question whose colours come in pieces', () => {
    const console = new InstallerConsole()
    for (const piece of ['Which?\r\n\u001B', '[1', ';31mPrompt', ": '?' for help>\u001B[", '0m ']) {
      console.feed(piece)
    }
    expect(console.problem).toEqual({ kind: 'question', text: 'Which?' })
  })

  test('what is answered is no problem any more', () => {
    const console = new InstallerConsole()
    console.feed("Setting up the clock  ... 0%\r\nWhich?\r\nPrompt: 1 - 2, '?' for help> ")
    expect(console.problem).toEqual({ kind: 'question', text: 'Which?' })
    console.feed('\r\nSetting up the clock  ... 50%')
    expect(console.problem).toBeUndefined()
  })
})

test.each([
  ['[    2.1] Kernel panic - not syncing: Attempted to kill init!\r\n', 'panic', 'Attempted to kill init!'],
  ['Press Enter for maintenance', 'emergency', 'Press Enter for maintenance'],
  ['dracut:/# ', 'emergency', 'dracut:/#'],
  [
    'Installation\r\n1) [!] Software selection\r\nPlease make a selection from the above: ',
    'question',
    'Installation\n1) [!] Software selection',
  ],
  [
    'Confirmation is required.\r\nContinue with autoinstall? (yes|no)',
    'question',
    'Confirmation is required.',
  ],
])('%j', (text, kind, said) => {
  const console = new InstallerConsole()
  console.feed(text)
  expect(console.problem).toEqual(kind === undefined ? undefined : { kind, text: said })
})

test.each([
  ['start: subiquity/Install/install/curtin_install: installing system\r\n', 'Install/install'],
  ['Performing post-installation setup tasks\r\n', 'Performing post-installation setup tasks'],
])('other installers: %j', (text, phase) => {
  const console = new InstallerConsole()
  expect(console.feed(text)).toBe(true)
  expect(console.phase).toBe(phase)
})

test('colours and cursor movements are not kept', () => {
  const console = new InstallerConsole()
  console.feed('\u001B[1mone\u001B[0m\r\n\u001B[2J\u001B[12;3Htwo\u0007\r\n')
  expect(console.tail()).toBe('one\ntwo')
})
