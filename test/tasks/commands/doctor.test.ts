import { describe, expect, it } from 'vitest'
import { doctor, renderChecks } from '../../../tasks/commands/doctor.ts'
import type { HostCheck } from '../../../tasks/run/tool-check.ts'
import { fakeCall } from '../../rig/layer-disks.ts'
import { testContext } from '../../rig/run-context.ts'

describe('renderChecks', () => {
  it('shows found, wanted, package and what to run', () => {
    const checks: HostCheck[] = [
      { name: 'mount', status: 'ok', found: '2.38', wanted: '2.36', package: 'mount' },
      {
        name: 'mmdebstrap',
        status: 'missing',
        found: 'nothing',
        package: 'mmdebstrap',
        hint: 'needed to install',
      },
    ]
    const lines = renderChecks(checks, 'apt-get install --yes mmdebstrap').split('\n')
    expect(lines.map((line) => line.trimEnd())).toEqual([
      'ok       mount       2.38 (wanted 2.36)  mount',
      'MISSING  mmdebstrap  nothing             mmdebstrap  needed to install',
      '',
      'To install what is missing, run',
      '  apt-get install --yes mmdebstrap',
      '',
    ])
    expect(renderChecks([], undefined)).toBe('')
  })
})

// Starts every program once, on a host that may be busy.
describe('doctor', { timeout: 60_000 }, () => {
  it('exits with 3 when something needed is missing, and says so to programs too', async () => {
    const call = fakeCall({ json: true })
    const env = { IMG_MIRROR: 'http://127.0.0.1:9', IMG_ACCEL: 'nonsense' }
    expect(await doctor.run(call, testContext({ env }))).toBe(3)
    expect(call.printed).toEqual([
      expect.objectContaining({
        healthy: false,
        checks: expect.arrayContaining([
          {
            name: 'acceleration',
            status: 'missing',
            found: 'IMG_ACCEL is "nonsense"',
            hint: 'set it to kvm or tcg, or leave it out to have it tried',
          },
        ]),
      }),
    ])
  })
})
