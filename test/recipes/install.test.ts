import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { install, type InstallOptions } from '../../recipes/install.ts'
import type { InstallStep } from '../../tasks/plan/step.ts'
import { factsOf } from './facts.ts'

const given: InstallOptions = { answers: 'answers.cfg', location: { suite: 'trixie' }, disk: '4G' }
const trixie = readFileSync('preseed/trixie.cfg', 'utf8')

function stepOf(content: string, options: Partial<InstallOptions> = {}): InstallStep {
  const steps = install({ ...given, ...options }).steps(factsOf(content))
  expect(steps).toHaveLength(1)
  return steps[0] as InstallStep
}

test('begins a chain in a machine, from an answer file and a medium', () => {
  const { name, mode, parent, inputs, weight } = install(given)
  expect({ name, mode, parent, inputs, weight }).toEqual({
    name: 'install',
    mode: 'boot',
    parent: 'none',
    inputs: {
      answers: { kind: 'text', path: 'answers.cfg' },
      medium: { kind: 'medium', location: { suite: 'trixie' } },
    },
    weight: { memory: 1024, machines: 1 },
  })
})

test.each([
  [{ answers: 'preseed/ubuntu.yaml' }, 4096],
  [{ answers: 'preseed/almalinux.ks', memory: 2048 }, 2048],
])('%j weighs %d MiB', (options, memory) => {
  expect(install({ ...given, ...options }).weight).toEqual({ memory, machines: 1 })
})

test('a preseed', () => {
  const { answers, ...step } = stepOf(trixie)
  expect(answers.text).toContain('\nd-i time/zone string Etc/UTC\n')
  expect(step).toEqual({
    do: 'install',
    input: 'medium',
    arguments: [
      'auto=true',
      'priority=critical',
      'DEBIAN_FRONTEND=text',
      'DEBCONF_DROP_TRANSLATIONS=1',
      'TERM=dumb',
      'net.ifnames=0',
      'console=ttyS0,115200',
      '---',
      'net.ifnames=0',
    ],
    size: 4 * 1024 ** 3,
    firmware: 'bios',
    machine: { memory: 1024, cpus: 2, display: false },
  })
})

const wishes = { hostname: 'web.example.org', locale: 'nb_NO.UTF-8', keyboard: 'no', console: 'ttyS1' }

test('wishes for a preseed', () => {
  const words = stepOf(trixie, { ...wishes, extraArgs: ['netcfg/dhcp_timeout=60'] }).arguments
  expect(words.slice(6)).toEqual([
    'hostname=web.example.org',
    'locale=nb_NO.UTF-8',
    'keyboard-configuration/xkb-keymap=no',
    'netcfg/dhcp_timeout=60',
    'console=ttyS1',
    '---',
    'net.ifnames=0',
  ])
})

test('wishes for a kickstart', () => {
  const step = stepOf(readFileSync('preseed/almalinux-9.ks', 'utf8'), wishes)
  expect(step.arguments).toEqual([
    'inst.text',
    'ip=::::web.example.org::dhcp',
    'inst.lang=nb_NO.UTF-8',
    'inst.keymap=no',
    'console=ttyS1',
  ])
  expect(step.machine?.memory).toBe(3072)
})

test('wishes for an autoinstall are answers', () => {
  const step = stepOf(readFileSync('preseed/ubuntu-24.04.yaml', 'utf8'), wishes)
  expect(step.arguments).toEqual(['autoinstall', 'console=ttyS1'])
  expect(JSON.parse(step.answers.text)).toMatchObject({
    locale: 'nb_NO.UTF-8',
    keyboard: { layout: 'no' },
    identity: { hostname: 'web.example.org', username: 'ubuntu' },
    shutdown: 'poweroff',
  })
})

test('what the machine is like', () => {
  const options = {
    memory: 2048,
    cpus: 1,
    connect: 'qemu:///system',
    display: true,
    limit: 5400,
    silence: 300,
  } as const
  expect(stepOf(trixie, { ...options, mirror: 'http://mirror.example.org/debian' }).machine).toEqual({
    memory: 2048,
    cpus: 1,
    connect: 'qemu:///system',
    mirror: 'http://mirror.example.org/debian',
    display: true,
    limit: 5400,
    silence: 300,
  })
})

test('errors in the answer file are refused, warnings told', () => {
  const wrong = `${trixie}d-i passwd/root-password password secret\n`
  expect(() => stepOf(wrong)).toThrow(
    expect.objectContaining({
      code: 'PRESEED_INVALID',
      message: 'passwd/root-password is a password in clear text',
      fields: {
        path: 'answers.cfg',
        line: trixie.split('\n').length,
        hint: 'use passwd/root-password-crypted with the output of: mkpasswd -m yescrypt',
      },
    }),
  )
  const warned = install(given).warnings?.(factsOf(`${trixie}d-i time/zone string Europe/Oslo\n`))
  expect(warned).toEqual([
    {
      path: 'answers.cfg',
      line: trixie.split('\n').length,
      text: 'time/zone was answered in line 10 already; this answer replaces it',
      hint: 'remove line 10 or this one',
    },
  ])
})

test.each<[unknown, string]>([
  [{ answers: 'a', disk: '4G' }, 'install: the option "location" is missing'],
  [
    { ...given, location: {} },
    `install: "location" is {}, not { suite: 'trixie' } or { kernel: …, initrd: … }`,
  ],
  [{ ...given, location: 1 }, 'install: "location" is 1, not the place of an installer'],
  [
    { ...given, connect: 'xen:///' },
    'install: "connect" is "xen:///", not qemu:///system or qemu:///session',
  ],
  [{ ...given, hostname: 'a b' }, 'install: "hostname" is "a b", not a host name'],
  [
    { ...given, extraArgs: ['a b'] },
    'install: "extraArgs" is ["a b"], whose item 0 is "a b", not one word without quotes',
  ],
  [{ ...given, memory: 0 }, 'install: "memory" is 0, not a whole number above 0'],
  [{ ...given, mirror: 'ftp://a' }, 'install: "mirror" is "ftp://a", not an http or https URL'],
  [{ ...given, locale: 'english' }, `install: "locale" is "english", not a locale such as 'en_US.UTF-8'`],
  [{ ...given, keyboard: 'US' }, `install: "keyboard" is "US", not a keyboard layout such as 'us'`],
  [{ ...given, console: 'serial' }, `install: "console" is "serial", not a console such as 'ttyS0,115200'`],
  [{ ...given, ram: 1 }, 'install: unknown option "ram"'],
])('options %j', (options, message) => {
  expect(() => install(options as InstallOptions)).toThrow(expect.objectContaining({ message }))
})
