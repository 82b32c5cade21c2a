import { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { Monitor, type MonitorEvent } from '../../../tasks/backends/qemu-monitor.ts'

/** A socket whose other end is the test. */
function socket(): Duplex & { readonly written: string[] } {
  const written: string[] = []
  const duplex = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _, done) => {
      written.push(chunk.toString())
      done()
    },
  })
  return Object.assign(duplex, { written })
}

describe('Monitor', () => {
  it('gives answers to commands in their order, and events apart', async () => {
    const end = socket()
    const events: MonitorEvent[] = []
    const monitor = new Monitor(end, (event) => events.push(event))
    const first = monitor.execute('query-status')
    const second = monitor.execute('device_del', { id: 'x' })
    const refused = second.catch((error: Error) => error.message)
    end.push('{"QMP":{"version":{}}}\r\n{"return":{"status":"run')
    end.push(
      'ning"}}\r\n{"event":"RESUME"}\n{"error":{"class":"GenericError","desc":"Device \'x\' not found"}}\n',
    )
    expect(await first).toEqual({ status: 'running' })
    expect(await refused).toBe("Device 'x' not found")
    expect(events).toEqual([{ event: 'RESUME', data: {} }])
    expect(end.written).toEqual([
      '{"execute":"query-status","arguments":{}}\n',
      '{"execute":"device_del","arguments":{"id":"x"}}\n',
    ])
  })

  it('does not wait for a qemu that is gone', async () => {
    const end = socket()
    const monitor = new Monitor(end, () => undefined)
    const waiting = monitor.execute('quit').catch((error: Error) => error.message)
    end.destroy()
    expect(await waiting).toBe('qemu ended before it answered')
    await expect(monitor.execute('stop')).rejects.toThrow('qemu ended before it answered stop')
  })
})
