import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import type { Firmware } from '../backends/qemu-arguments.ts'
import type { Command } from './command.ts'
import { toFirmware, toUserName, toWholeNumber } from './machine-options.ts'
import { onlyLayer } from './only-layer.ts'
import { withLayerDisks, type WithLayerDisks } from './with-layer-disks.ts'

export const makeRun = (open: WithLayerDisks): Command => ({
  name: 'run',
  summary: 'boot an image in a throw-away overlay',
  arguments: '<layer>',
  options: [
    { flags: '--ssh', description: 'log in with a key made for this run, instead of the console' },
    { flags: '--command <command>', description: 'run one command over ssh and power off' },
    { flags: '--key <file>', description: 'let this public key in and wait, to log in from elsewhere' },
    { flags: '--user <name>', description: 'whom to log in as', parse: toUserName, default: 'root' },
    {
      flags: '--port <n>',
      description: 'local port for ssh instead of a free one',
      parse: toWholeNumber('--port', 1, 65_535),
    },
    { flags: '--firmware <kind>', description: 'bios or uefi', parse: toFirmware, default: 'bios' },
    {
      flags: '--memory <MiB>',
      description: 'memory of the machine',
      parse: toWholeNumber('--memory', 128),
      default: 2048,
    },
    {
      flags: '--cpus <n>',
      description: 'processors of the machine',
      parse: toWholeNumber('--cpus', 1, 256),
    },
    { flags: '--offline', description: 'let the machine reach nothing outside' },
  ],
  example: "img run role:ceph-node --command 'systemctl --failed'",
  run: async (call, context) => {
    const { ssh, command, key, user, port, firmware, memory, cpus, offline } = call.options
    const byssh = ssh === true || command !== undefined || key !== undefined || port !== undefined
    const { wantedAcceleration } = await import('../backends/acceleration.ts')
    wantedAcceleration(context)
    const { requireTools } = await import('../run/tools.ts')
    await requireTools(
      [
        ...(['setpriv', 'qemu-img', 'qemu-system-x86_64'] as const),
        ...(firmware === 'uefi' ? (['UEFI firmware'] as const) : []),
        ...(byssh ? (['ssh'] as const) : []),
      ],
      context,
    )
    return open(call, context, async (disks) => {
      const layer = await onlyLayer(disks, call)
      const { runImage } = await import('../backends/run-image.ts')
      return runImage(
        await disks.disk(layer),
        {
          layer,
          firmware: firmware as Firmware['kind'],
          memory: memory as number,
          cpus: (cpus as number | undefined) ?? availableParallelism(),
          outside: offline !== true,
          ...(byssh
            ? {
                ssh: {
                  user: user as string,
                  ...(port === undefined ? {} : { port: port as number }),
                  ...(key === undefined ? {} : { keyFile: resolve(call.cwd, key as string) }),
                  ...(command === undefined ? {} : { command: command as string }),
                },
              }
            : {}),
        },
        context,
      )
    })
  },
})

export const run: Command = makeRun(withLayerDisks)
