// The appliance with a guestfish that runs the agent's program on this machine.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { RunContext } from '../../../tasks/context.ts'
import { openAppliance, type Appliance } from '../../../tasks/backends/libguestfs-appliance.ts'
import { agentOnSocket } from '../../rig/agent-on-socket.ts'
import { fakePrograms } from '../../rig/fake-programs.ts'
import { testContext } from '../../rig/run-context.ts'

const runsAgent = `cat >script
perl - <<'end of agent'
${agentOnSocket('agent.socket')}
end of agent`

function boot(guestfish: string, over: Partial<RunContext> = {}): Promise<Appliance> & { directory: string } {
  const context = testContext({ env: { IMG_ACCEL: 'tcg' }, ...over })
  const { path } = fakePrograms({ guestfish })
  const directory = context.root
  const opened = openAppliance(
    {
      directory,
      disks: { image: '/a "disk"', tools: '/tools.ext4', inputs: '/inputs.tar' },
      network: false,
      log: join(directory, 'log'),
      path,
    },
    context,
  )
  return Object.assign(opened, { directory })
}

test('guestfish is told the disks and starts the agent, which runs programs', async () => {
  const opened = boot(runsAgent)
  const appliance = await opened
  expect((await appliance.run(['echo', 'there'])).stdout).toBe('there\n')
  await appliance.close()
  expect(readFileSync(join(opened.directory, 'script'), 'utf8')).toBe(
    String.raw`add-drive "/a \"disk\"" format:raw cachemode:unsafe discard:enable label:image
add-drive "/tools.ext4" format:raw readonly:true label:tools
add-drive "/inputs.tar" format:raw readonly:true label:inputs
config -chardev socket,id=imgagent,path=agent.socket
config -device virtserialport,chardev=imgagent,name=img.agent
run
mount-options noatime /dev/disk/guestfs/tools /
upload agent.pl /agent.pl
sh "exec perl /agent.pl"
`,
  )
})

test('one that does not start says why', async () => {
  await expect(boot('echo "libguestfs: error: no kernel" >&2; exit 1')).rejects.toMatchObject({
    code: 'BACKEND_UNAVAILABLE',
    message: 'the appliance of libguestfs did not start',
    fields: {
      output: 'libguestfs: error: no kernel',
      hint: 'run `libguestfs-test-tool` and `img doctor`: a kernel in /boot the user may read is needed',
    },
  })
})

test('one that is lost at the end is an error: the disk may not be whole', async () => {
  const appliance = await boot(`${runsAgent}
  echo "libguestfs: error: appliance closed" >&2; exit 1`)
  await expect(appliance.close()).rejects.toMatchObject({
    code: 'BACKEND_UNAVAILABLE',
    message: 'the appliance of libguestfs ended before everything was on the disk',
    fields: {
      output: 'libguestfs: error: appliance closed',
      hint: 'nothing was recorded; build again, and see that there is memory left',
    },
  })
})

test('one that is interrupted', async () => {
  const controller = new AbortController()
  const appliance = await boot(runsAgent, { signal: controller.signal })
  controller.abort()
  await expect(appliance.close()).rejects.toMatchObject({
    code: 'INTERRUPTED',
    message: 'the appliance of libguestfs was interrupted',
  })
})
