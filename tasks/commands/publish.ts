import { ImgError } from '../errors.ts'
import type { Call, Command } from './command.ts'
import { toWholeNumber } from './machine-options.ts'
import { toTags } from './publish-tags.ts'
import { withLayerDisks, type WithLayerDisks } from './with-layer-disks.ts'

export const makePublish = (open: WithLayerDisks): Command => ({
  name: 'publish',
  summary: 'put targets where they are used from: a signed repository, a registry, Glance, a folder',
  arguments: '[targets...]',
  options: [
    { flags: '--to <destination>', description: 'a folder, docker://HOST/REPOSITORY or glance:[CLOUD]' },
    { flags: '--gpg-key <fingerprint>', description: "key of the user's keyring to sign with" },
    { flags: '--conf <file>', description: "write the clients' configuration, and the public key beside it" },
    { flags: '--uri <address>', description: 'where clients find index.asc; the folder itself unless told' },
    {
      flags: '--keep <n>',
      description: 'replaced ones kept of each target (2); files for an hour in any case',
      parse: toWholeNumber('--keep', 0, 1000),
    },
    {
      flags: '--tag <name>',
      description: 'of an image, beside revision and key; can be repeated',
      parse: toTags,
    },
    { flags: '--plain-http', description: 'talk to a registry without encryption, also on another machine' },
  ],
  example: 'img publish docker:ceph-node --to docker://registry.example.org/ceph-node --tag latest',
  run: async (call, context) => {
    checkCall(call)
    if (call.args.length === 0) {
      const { toRepository } = await import('./publish-template.ts')
      await toRepository({ call, to: folderOf(call) }, undefined, context)
      return 0
    }
    return open(call, context, async (disks) => {
      const { chooseDestination } = await import('./publish-destinations.ts')
      const layers = await disks.select(call.args)
      const kinds = layers.map((name) => ({ name, kind: disks.kind(name) }))
      const { to, load } = chooseDestination({ layers: kinds, options: call.options })
      const publisher = await load()
      await publisher({ layers, disks, call, to }, context)
      return 0
    })
  },
})

function checkCall({ args, options: { conf, uri } }: Call): void {
  if (args.length === 0 && conf === undefined) {
    throw new ImgError('USAGE', 'no template is named', {
      hint: "name some: img publish 'template:*' --to DIR --gpg-key FINGERPRINT; with --conf alone none is needed",
    })
  }
  if (uri !== undefined && conf === undefined) {
    throw new ImgError('USAGE', '--uri without --conf says nothing to anybody', {
      hint: "add --conf FILE: the address goes into the clients' configuration",
    })
  }
}

function folderOf({ options: { to } }: Call): string {
  if (typeof to === 'string') return to
  throw new ImgError('USAGE', '--to is missing', { hint: 'add --to DIR, the folder of the repository' })
}

export const publish: Command = makePublish(withLayerDisks)
