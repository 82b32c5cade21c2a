// The libguestfs backend on a real tree: the contract, and the same files as from the namespace backend.

import { createReadStream, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { libguestfsBackend } from '../../../tasks/backends/libguestfs.ts'
import { namespaceBackend } from '../../../tasks/backends/namespace.ts'
import type { Step } from '../../../tasks/plan/step.ts'
import { describeBackend } from '../../contract/backend.ts'
import { canRun, parentBench } from '../../system/namespace/bench.ts'

describe.runIf(canRun)('chroot layers without root', () => {
  const bench = parentBench()

  const outputOf = async (script: string, disk: string): Promise<string> => {
    let output = ''
    const step: Step = { do: 'run', argv: ['sh', '-c', script], label: 'look' }
    const context = bench().context({
      emit: (event) => {
        if (event.event === 'output' && event.stream === 'stdout') output += event.text
      },
    })
    const work = bench().work([], { parentDisk: disk, apt: {} })
    await namespaceBackend().run({ ...work, steps: [step] }, context)
    return output
  }

  describeBackend('libguestfs', () => ({
    backend: libguestfsBackend(),
    work: async (steps) => ({ ...bench().child([], { apt: {} }), steps, parentDisk: bench().parentDisk }),
    context: (changes) => bench().context(changes),
    slow: { do: 'run', argv: ['sleep', '600'] },
  }))

  test('every kind of step gives the tree the namespace backend gives', async () => {
    const input = join(bench().folder, 'staged')
    mkdirSync(join(input, 'deep/empty'), { recursive: true })
    writeFileSync(join(input, 'deep/run'), '#!/bin/sh\n', { mode: 0o755 })
    const steps: readonly Step[] = [
      { do: 'apt', apt: 'apt', install: ['hello'], remove: [], recommends: false },
      { do: 'run', argv: ['useradd', '--system', 'other'] },
      { do: 'write', path: '/etc/ü', content: 'ü', mode: '0640', group: 'other' },
      { do: 'mkdir', path: '/srv/data', mode: '2770', owner: 'other' },
      { do: 'link', path: '/srv/link', target: '../etc' },
      { do: 'copy', input: '0.files', to: '/opt/tool' },
      { do: 'remove', paths: ['/usr/share/doc/*'] },
      { do: 'trim' },
    ]
    const inputs = { '0.files': input }
    const there = await libguestfsBackend().run(bench().child(steps, { inputs }), bench().context())
    const here = await namespaceBackend().run(bench().child(steps, { inputs }), bench().context())
    expect(there.treeDigest).toBe(here.treeDigest)
    expect(here.treeDigest).not.toBe(bench().parent.treeDigest)
  })

  test('sysprep leaves no identity, and what was deleted is not in the file any more', async () => {
    const secret = 'deleted-by-sysprep-'.repeat(500)
    const used: readonly Step[] = [
      { do: 'write', path: '/etc/machine-id', content: `${'0123456789abcdef'.repeat(2)}\n`, mode: '0444' },
      { do: 'write', path: '/root/.bash_history', content: secret, mode: '0600' },
      { do: 'run', argv: ['sh', '-c', 'head -c 100M /dev/urandom >/var/tmp/big && sync'] },
    ]
    const work = { ...bench().child([], { apt: {} }), steps: used }
    const run = await namespaceBackend().run(work, bench().context())
    const operations = ['bash-history', 'machine-id', 'tmp-files']
    const clean = await libguestfsBackend().run(
      bench().child([{ do: 'sysprep', operations }, { do: 'trim' }], {
        parentDisk: run.files['disk.raw'] ?? '',
      }),
      bench().context(),
    )
    const look = 'wc -c /etc/machine-id; ls -A /var/tmp; ls -A /root'
    const seen = await outputOf(look, clean.files['disk.raw'] ?? '')
    expect(seen).toBe('0 /etc/machine-id\n.bashrc\n.profile\n')
    const file = clean.files['disk.raw'] ?? ''
    expect(blocks(file) - blocks(bench().parentDisk)).toBeLessThan((8 * 1024 * 1024) / 512)
    expect(await contains(file, 'deleted-by-sysprep-')).toBe(false)
    expect(await contains(run.files['disk.raw'] ?? '', 'deleted-by-sysprep-')).toBe(true)
  })
})

const blocks = (path: string): number => statSync(path).blocks

async function contains(path: string, text: string): Promise<boolean> {
  let before = ''
  for await (const part of createReadStream(path, { highWaterMark: 1024 * 1024, encoding: 'latin1' })) {
    if (`${before}${String(part)}`.includes(text)) return true
    before = String(part).slice(-text.length)
  }
  return false
}
