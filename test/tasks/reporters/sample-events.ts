// One build, as events: two layers built, one failed, one cancelled, with everything that can be said between.

import { ImgError } from '../../../tasks/errors.ts'
import type { ImgEvent } from '../../../tasks/events.ts'

const failed = new ImgError('STEP_FAILED', 'apt-get exited with 100', {
  layer: 'role:web',
  hint: 'see the lines below',
  output: 'Reading package lists...\r\nE: \u001b[31mUnable\u001b[0m to locate package nginxx\u0007\n',
})

export const sampleEvents: readonly ImgEvent[] = [
  { event: 'plan', layers: 5, builds: 3 },
  { event: 'warning', text: 'the clock of this machine is 3 h behind', hint: 'run chronyd' },
  { event: 'waiting', layer: 'base:a', for: 'process 17' },
  { event: 'layer-start', layer: 'base:a', key: 'k1', expectedMs: 41_000 },
  { event: 'layer-start', layer: 'role:web', key: 'k2' },
  { event: 'step-start', layer: 'base:a', step: 1, steps: 2, label: 'apply catalog' },
  { event: 'output', layer: 'base:a', stream: 'stdout', text: 'Notice: one\nNotice: t' },
  { event: 'output', layer: 'role:web', stream: 'stderr', text: 'odd \u001b]0;title\u0007\n' },
  { event: 'output', layer: 'base:a', stream: 'stdout', text: 'wo\nlast' },
  { event: 'note', layer: 'base:a', text: 'pinned anew' },
  { event: 'layer-end', layer: 'base:a', outcome: { status: 'built', key: 'k1', ms: 42_345 } },
  { event: 'layer-end', layer: 'role:b', outcome: { status: 'unchanged', key: 'k3', ms: 3 } },
  {
    event: 'layer-end',
    layer: 'role:web',
    outcome: { status: 'failed', error: failed, log: '/cache/log', ms: 900 },
  },
  { event: 'layer-end', layer: 'role:c', outcome: { status: 'cancelled', because: 'role:web failed' } },
]
