// The program a machine runs at its first boot, without a machine: in namespaces of its own, a socket for its port.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import {
  logPort,
  makeFirstboot,
  readFirstboot,
  type Firstboot,
  type FirstbootReport,
} from '../../../tasks/backends/firstboot-script.ts'
import { encodeGuestScript, parseGuestFact, type GuestFact } from '../../../tasks/backends/guest-script.ts'
import { readLines } from '../../../tasks/backends/read-lines.ts'
import { startProgram } from '../../../tasks/run/process.ts'
import { testContext } from '../../rig/run-context.ts'

const plain: Firstboot = { script: 'echo hello\n', limit: 60, env: {}, files: [], hosts: [] }

describe('the program of a first boot', () => {
  it('runs the script with what it was given, and tells how it ended', async () => {
    const { report, log, left } = await run({
      script: `#!/bin/bash -eu
echo "$GREETING, $(id -u)"
cat /run/img/secrets/token
stat -c '%a %n' /run/img/secrets/token /run/img/firstboot
grep example /etc/hosts
echo '{"a":"ü"}' >/run/img/firstboot/out/facts.json
exit 2
`,
      env: { GREETING: "it's" },
      files: [{ path: 'secrets/token', mode: '0400', content: Buffer.from('two\nlines\n') }],
      hosts: ['10.0.2.2 puppet.example.org'],
      prepare: 'echo prepared',
    })
    expect(log).toBe(
      "prepared\nit's, 0\ntwo\nlines\n400 /run/img/secrets/token\n700 /run/img/firstboot\n10.0.2.2 puppet.example.org\n",
    )
    expect(report).toEqual({
      began: true,
      ended: { exitCode: 2, seconds: expect.any(Number) as number },
      out: { 'facts.json': '{"a":"ü"}' },
      jobs: '',
    })
    expect(left).toEqual([])
  })

  it('makes files anybody may read, as steps in a chroot do', async () => {
    const { log } = await run({ script: 'umask', prepare: 'umask' })
    expect(log).toBe('0022\n0022\n')
  })

  it('ends a script that does not end', async () => {
    const { report, log } = await run({ script: 'echo waiting; sleep 100', limit: 1 })
    expect(log).toBe('waiting\n')
    expect(report.ended?.exitCode).toBe(124)
    expect(report.ended?.seconds).toBeGreaterThanOrEqual(1)
  })

  it('does not begin the script when what it needs is not there', async () => {
    const { report, log } = await run({ prepare: 'echo no; false' })
    expect(log).toBe('no\n')
    expect(report).toMatchObject({ began: false, unprepared: 1 })
  })

  it('says nothing of the end of a script that ends the machine', async () => {
    const { report } = await run({ script: 'kill -9 -1' })
    expect(report).toEqual({ began: true, out: {}, jobs: '' })
  })
})

/** `left`: what is in /run afterwards, beside what mount(8) keeps there. */
async function run(
  step: Partial<Firstboot>,
): Promise<{ readonly report: FirstbootReport; readonly log: string; readonly left: readonly string[] }> {
  const { root } = testContext()
  const log = join(root, 'log')
  const { text, payload } = makeFirstboot({ ...plain, ...step })
  // A file keeps what is written to it only when it is appended to; a port always does.
  const here = text
    .replaceAll(`>/dev/virtio-ports/${logPort}`, `>>${log}`)
    .replaceAll('/dev/ttyS0', '/nowhere')
  const program = startProgram(
    [
      'unshare --mount --propagation private --pid --fork --kill-child=KILL --mount-proc --'.split(' '),
      ['sh', '-euc', machine, 'sh', root],
    ].flat(),
    { sockets: 1 },
  )
  const port = program.sockets[0] as Duplex
  const facts: GuestFact[] = []
  readLines(port, (line) => {
    const fact = parseGuestFact(line, 'n')
    if (fact === undefined) return
    if (facts.length === 0) port.write(payload)
    facts.push(fact)
  })
  port.write(encodeGuestScript({ text: here, nonce: 'n' }))
  const { stderr } = await program.exited
  expect(stderr).toBe('')
  const left = readFileSync(join(root, 'left'), 'utf8').split('\n').filter(Boolean)
  return { report: readFirstboot(facts), log: existsSync(log) ? readFileSync(log, 'utf8') : '', left }
}

/** As the unit of a machine starts it, with a /run of its own and a systemctl that says that the boot is finished. */
const machine = `
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /usr/local/sbin
printf '#!/bin/sh\\necho running\\n' >/usr/local/sbin/systemctl
chmod +x /usr/local/sbin/systemctl
mkdir /run/img
read -r script <&3
echo "$script" | base64 -d >/run/img/script
{ sh /run/img/script || :; } 2>/dev/null
ls -A -I mount /run >"$1/left"
`
