// Layers' disks without a project: for commands on finished images.

import { createHash } from 'node:crypto'
import type { Call } from '../../tasks/commands/command.ts'
import type { WithLayerDisks } from '../../tasks/commands/with-layer-disks.ts'
import type { LayerDisks } from '../../tasks/run/layer-disks.ts'

export function fakeLayerDisks(over: Partial<LayerDisks> = {}): {
  readonly open: WithLayerDisks
  readonly values: Map<string, string>
} {
  const values = new Map<string, string>()
  const disks: LayerDisks = {
    select: (selectors) => Promise.resolve(selectors),
    isTarget: () => false,
    kind: (name) => name.replace(/:.*/, ''),
    isForeign: () => false,
    key: (name) => Promise.resolve(createHash('sha256').update(name).digest('hex')),
    tools: () => Promise.resolve('/tools'),
    files: () => Promise.resolve({ 'disk.raw': 0 }),
    restore: () => Promise.reject(new Error('nothing to restore')),
    disk: (name) => Promise.resolve(`/disks/${name}`),
    tried: () => 'disk',
    filesDigest: (name) => Promise.resolve(`files of ${name}`),
    digest: (name) => Promise.resolve(`digest of ${name}`),
    expectations: () => Promise.resolve({ packages: [], services: [] }),
    readValue: (key) => {
      const value = values.get(key)
      return Promise.resolve(value === undefined ? undefined : Buffer.from(value))
    },
    writeValue: (key, value) => Promise.resolve(void values.set(key, value)),
    ...over,
  }
  return { open: (_call, _context, run) => run(disks), values }
}

/** A parsed call, and what it printed. */
export function fakeCall(over: Partial<Call> = {}): Call & { readonly printed: unknown[] } {
  const printed: unknown[] = []
  const print = (result: unknown): void => void printed.push(result)
  return { args: [], options: {}, json: false, cwd: '/', print, ...over, printed }
}
