// What every backend promises for chroot steps, the fake included. A backend calls this with a way to make work.

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Backend, Work } from '../../tasks/backends/backend.ts'
import type { RunContext } from '../../tasks/context.ts'
import { ImgError } from '../../tasks/errors.ts'
import type { ImgEvent } from '../../tasks/events.ts'
import type { Step } from '../../tasks/plan/step.ts'

export interface BackendBench {
  readonly backend: Backend
  /** Work on a parent's disk that is the same each time, with a folder of its own. */
  work(steps: readonly Step[]): Promise<Work & { readonly parentDisk: string }>
  context(changes?: Partial<RunContext>): RunContext
  /** A step that would take minutes; absent where nothing takes time. */
  readonly slow?: Step
}

const seal: Step = { do: 'seal', epoch: 1_577_836_800 }
const motd: Step = { do: 'write', path: '/etc/motd', content: 'hello\n', mode: '0644' }

export function describeBackend(name: string, open: () => BackendBench): void {
  describe(`${name} keeps the backends' contract`, () => {
    test('is available where it is tested', async () => {
      const bench = open()
      expect(await bench.backend.probe(bench.context())).toStrictEqual({ available: true })
    })

    test('leaves the disk in the work folder and the parent as it was', async () => {
      const bench = open()
      const work = await bench.work([motd, seal])
      const before = await digestOf(work.parentDisk)
      const result = await bench.backend.run(work, bench.context())
      expect(Object.keys(result.files)).toStrictEqual(['disk.raw'])
      expect(result.files['disk.raw']?.startsWith(`${work.directory}/`)).toBe(true)
      expect(result.treeDigest).toMatch(/^[0-9a-f]{64}$/)
      expect(await digestOf(work.parentDisk)).toBe(before)
    })

    test('gives the same tree for the same steps, another for others', async () => {
      const [first, second, other] = [
        await runSealed(open(), [motd]),
        await runSealed(open(), [motd]),
        await runSealed(open(), [{ ...motd, content: 'other\n' } as Step]),
      ]
      expect(second.tree).toBe(first.tree)
      expect(other.tree).not.toBe(first.tree)
    })

    test("gives the parent's tree when a step undoes another", async () => {
      const nothing = await runSealed(open(), [])
      const undone = await runSealed(open(), [
        { do: 'write', path: '/etc/img-contract', content: 'x', mode: '0600' },
        { do: 'remove', paths: ['/etc/img-contract'] },
      ])
      expect(undone.tree).toBe(nothing.tree)
    })

    test('says which step starts', async () => {
      const bench = open()
      const events: ImgEvent[] = []
      const work = await bench.work([motd, { do: 'run', argv: ['true'], label: 'nothing' }, seal])
      await bench.backend.run(work, bench.context({ emit: (event) => events.push(event) }))
      expect(events.filter(({ event }) => event === 'step-start')).toStrictEqual([
        { event: 'step-start', layer: work.layer, step: 1, steps: 3, label: 'write /etc/motd' },
        { event: 'step-start', layer: work.layer, step: 2, steps: 3, label: 'nothing' },
        { event: 'step-start', layer: work.layer, step: 3, steps: 3, label: 'seal' },
      ])
    })

    test('fails with the layer, the step and its exit code', async () => {
      const bench = open()
      const work = await bench.work([{ do: 'run', argv: ['false'], label: 'late_command' }, seal])
      const error = await bench.backend.run(work, bench.context()).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(ImgError)
      const { code, message, fields } = error as ImgError
      expect({ code, message, fields }).toStrictEqual({
        code: 'STEP_FAILED',
        message: `layer ${work.layer}: late_command failed with exit code 1`,
        fields: { layer: work.layer, output: '', hint: `run \`img log ${work.layer}\` for the whole output` },
      })
    })

    test('keeps a log of what it did', async () => {
      const bench = open()
      const work = await bench.work([motd, seal])
      await bench.backend.run(work, bench.context())
      expect((await readFile(work.log, 'utf8')).startsWith('+ ')).toBe(true)
    })

    test('stops within seconds when it is interrupted', async () => {
      const bench = open()
      const controller = new AbortController()
      const work = await bench.work([bench.slow ?? motd, seal])
      let began = Date.now()
      const interrupt = (): void => {
        began = Date.now()
        controller.abort()
      }
      if (bench.slow === undefined) interrupt()
      const running = bench.backend.run(
        work,
        bench.context({
          signal: controller.signal,
          emit: (event) => {
            if (event.event === 'step-start') void setTimeout(200).then(interrupt)
          },
        }),
      )
      const error = await running.catch((thrown: unknown) => thrown)
      expect((error as ImgError).code).toBe('INTERRUPTED')
      expect(Date.now() - began).toBeLessThan(20_000)
    })
  })
}

async function runSealed(
  bench: BackendBench,
  steps: readonly Step[],
): Promise<{ readonly tree: string | undefined }> {
  const result = await bench.backend.run(await bench.work([...steps, seal]), bench.context())
  return { tree: result.treeDigest }
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const part of createReadStream(path)) hash.update(part as Buffer)
  return hash.digest('hex')
}
