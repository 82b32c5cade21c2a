// Every command by the words that call it. A summary stands here so that `img --help` need not import the command.

import type { Command } from './command.ts'

export interface CommandEntry {
  readonly summary: string
  readonly load: () => Promise<Command>
}

export const commands: Readonly<Record<string, CommandEntry>> = {
  build: {
    summary: 'bring layers up to date',
    load: async () => (await import('./build.ts')).build,
  },
  watch: {
    summary: 'build again whenever something a layer is made of changes',
    load: async () => (await import('./watch.ts')).watch,
  },
  plan: {
    summary: 'show what a build would do, and why',
    load: async () => (await import('./plan.ts')).plan,
  },
  why: {
    summary: 'say which file, option, package or parent makes a layer rebuild',
    load: async () => (await import('./why.ts')).why,
  },
  ls: {
    summary: 'list layers with state, size and age',
    load: async () => (await import('./ls.ts')).ls,
  },
  show: {
    summary: "print a layer's record, or what a run did",
    load: async () => (await import('./show.ts')).show,
  },
  runs: {
    summary: 'list the builds of this project that did something',
    load: async () => (await import('./runs.ts')).runs,
  },
  diff: {
    summary: 'say what differs between two images',
    load: async () => (await import('./diff.ts')).diff,
  },
  compare: {
    summary: 'prove that two images are the same but for a reviewed list',
    load: async () => (await import('./compare.ts')).compare,
  },
  blame: {
    summary: 'say which layer, step and commit brought a file or package',
    load: async () => (await import('./blame.ts')).blame,
  },
  log: {
    summary: "print the kept output of a layer's build",
    load: async () => (await import('./log.ts')).log,
  },
  graph: {
    summary: 'print how layers depend on each other',
    load: async () => (await import('./graph.ts')).graph,
  },
  export: {
    summary: "write a layer's disk to a file, or a target's files to a folder",
    load: async () => (await import('./export.ts')).exportCommand,
  },
  publish: {
    summary: 'put targets where they are used from: a signed repository, a registry, Glance, a folder',
    load: async () => (await import('./publish.ts')).publish,
  },
  run: {
    summary: 'boot an image in a throw-away overlay',
    load: async () => (await import('./run.ts')).run,
  },
  shell: {
    summary: 'open a shell in a copy of an image, as its build steps see it; nothing is kept',
    load: async () => (await import('./shell.ts')).shell,
  },
  test: {
    summary: 'boot images under qemu and check what they say',
    load: async () => (await import('./test.ts')).test,
  },
  push: {
    summary: 'send layers to the shared cache',
    load: async () => (await import('./push.ts')).push,
  },
  pull: {
    summary: 'fetch layers from the shared cache, and build nothing',
    load: async () => (await import('./pull.ts')).pull,
  },
  challenge: {
    summary: "build a layer here and compare it with somebody's record in the shared cache",
    load: async () => (await import('./challenge.ts')).challenge,
  },
  'keys create': {
    summary: 'make a signing key, and put its public half into keys.json',
    load: async () => (await import('./keys.ts')).keysCreate,
  },
  'keys trust': {
    summary: "put somebody's public key into keys.json",
    load: async () => (await import('./keys.ts')).keysTrust,
  },
  'keys revoke': {
    summary: 'make a key count for nothing, and all it signed',
    load: async () => (await import('./keys.ts')).keysRevoke,
  },
  'keys list': {
    summary: 'say who may write which namespace',
    load: async () => (await import('./keys.ts')).keysList,
  },
  'cache stats': {
    summary: 'say how much the cache and each layer in it hold',
    load: async () => (await import('./cache-stats.ts')).cacheStats,
  },
  'cache verify': {
    summary: 'check the cache for damage',
    load: async () => (await import('./cache-verify.ts')).cacheVerify,
  },
  'cache gc': {
    summary: 'remove what no kept layer needs from the cache',
    load: async () => (await import('./cache-gc.ts')).cacheGc,
  },
  'cache repair': {
    summary: 'heal what is damaged in the cache, and put aside what cannot be healed',
    load: async () => (await import('./cache-repair.ts')).cacheRepair,
  },
  'cache pin': {
    summary: 'keep builds whatever gc removes; without a name, list what is pinned',
    load: async () => (await import('./cache-pin.ts')).cachePin,
  },
  'cache unpin': {
    summary: 'let gc remove pinned builds again',
    load: async () => (await import('./cache-pin.ts')).cacheUnpin,
  },
  update: {
    summary: 'show what is new at the mirrors and, when accepted, pin it in imgfile.lock',
    load: async () => (await import('./update.ts')).update,
  },
  doctor: {
    summary: 'say what of this host is missing, and install it',
    load: async () => (await import('./doctor.ts')).doctor,
  },
  completion: {
    summary: 'print a script that lets a shell complete commands, options and layers',
    load: async () => (await import('./completion.ts')).completion,
  },
  init: {
    summary: 'start a project in an empty folder',
    load: async () => (await import('./init.ts')).init,
  },
}
