// Images published to Debian's glance-api: what it serves, what it hides, and what becomes of half an upload.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makePublish } from '../../../tasks/commands/publish.ts'
import { findProgram } from '../../../tasks/run/find-program.ts'
import { startGlance, type GlanceServer } from '../../rig/glance.ts'
import { fakeCall } from '../../rig/layer-disks.ts'
import { makeOpenstackImage } from '../../rig/openstack-image.ts'
import { testContext } from '../../rig/run-context.ts'
import { type Content, contentOf } from '../../rig/target-content.ts'
import { tempFolder, writeFiles } from '../../rig/temp-folder.ts'

interface Image {
  readonly id: string
  readonly name: string
  readonly status: string
  readonly img_key: string
  readonly img_revision: string
}

describe.runIf(findProgram('glance-api') !== undefined)('glance', () => {
  let server: GlanceServer | undefined
  let files: Content = {}
  beforeAll(async () => {
    server = await startGlance()
  })
  afterAll(() => server?.stop())

  const open = contentOf(() => files)
  const env = (): Record<string, string> => ({ OS_AUTH_TYPE: 'none', OS_ENDPOINT: server!.url })
  const publish = async (): Promise<unknown> => {
    const call = fakeCall({ args: ['openstack:web'], options: { to: 'glance:', keep: 1 }, json: true })
    expect(await makePublish(open).run(call, testContext({ env: env(), now: Date.now }))).toBe(0)
    return (call.printed[0] as { readonly published: readonly unknown[] }).published[0]
  }
  /** Which image the command line client means by a name. */
  const clientsChoice = (name: string): string => {
    const login = ['--os-auth-type', 'none', '--os-endpoint', server!.url]
    const argv = [...login, 'image', 'show', name, '--format', 'value', '--column', 'id']
    return execFileSync('openstack', argv, { encoding: 'utf8' }).trim()
  }
  const list = async (hidden: boolean): Promise<readonly Image[]> => {
    const answer = await fetch(`${server!.url}/v2/images?os_hidden=${hidden}`)
    return ((await answer.json()) as { readonly images: readonly Image[] }).images
  }
  const names = async (hidden: boolean): Promise<readonly string[]> =>
    (await list(hidden)).map(({ name }) => name).toSorted()

  test('has the bytes, hides what is replaced and keeps as many as it is told', async () => {
    const disk = randomBytes(20_000_000)
    files = await makeOpenstackImage(disk)
    expect(await publish()).toMatchObject({ status: 'new', revision: 1, sent: disk.length })
    const [image] = await list(false)
    expect(image).toMatchObject({
      name: 'web',
      status: 'active',
      img_revision: '1',
      hw_watchdog_action: 'reset',
      min_disk: 1,
      disk_format: 'qcow2',
    })
    const served = await fetch(`${server!.url}/v2/images/${image!.id}/file`)
    expect(Buffer.from(await served.arrayBuffer()).equals(disk)).toBe(true)
    expect(await publish()).toMatchObject({ status: 'unchanged', id: image!.id, sent: 0 })

    files = await makeOpenstackImage(randomBytes(1_000_000))
    expect(await publish()).toMatchObject({
      status: 'changed',
      revision: 2,
      hidden: [image!.id],
      removed: [],
    })
    expect([await names(false), await names(true)]).toEqual([['web'], ['web-r1']])
    files = await makeOpenstackImage(randomBytes(1_000_000))
    expect(await publish()).toMatchObject({ revision: 3, removed: [image!.id] })
    const [shown] = await list(false)
    expect(findProgram('openstack') === undefined ? shown!.id : clientsChoice('web')).toBe(shown!.id)
    expect([await names(false), await names(true)]).toEqual([['web'], ['web-r2']])
  })

  test('loses half an image a killed publish left, with the next', async () => {
    const before = await list(false)
    const folder = tempFolder()
    const start = async (bytes: number): Promise<ChildProcess> => {
      writeFiles(folder, await makeOpenstackImage(randomBytes(bytes)))
      const argv = ['--input-type=module', '--eval', program, publishing, folder]
      return spawn(process.execPath, argv, { env: { ...process.env, ...env() }, stdio: 'inherit' })
    }
    const child = await start(400_000_000)
    const isSaving = async (): Promise<boolean> =>
      (await list(true)).some(({ status }) => status === 'saving')
    while (child.exitCode === null && !(await isSaving()));
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(child.signalCode).toBe('SIGKILL')
    expect(await list(false)).toEqual(before)
    const half = (await list(true)).find(({ status }) => status !== 'active')
    expect(half).toMatchObject({ name: 'web' })

    const again = await start(1_000_000)
    expect(await once(again, 'exit')).toEqual([0, null])
    expect((await list(true)).map(({ id }) => id)).not.toContain(half!.id)
    expect([await names(false), await names(true)]).toEqual([['web'], ['web-r3']])
    expect([...(await list(false)), ...(await list(true))].map(({ status }) => status)).toEqual([
      'active',
      'active',
    ])
  })
})

const publishing = fileURLToPath(new URL('../../../dist/tasks/commands/publish.js', import.meta.url))

/** `img publish` of the files in a folder, as a process that can be killed. */
const program = `
import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises'
const [publishing, folder] = process.argv.slice(1)
const { makePublish } = await import(publishing)
const disks = {
  select: async (layers) => layers,
  kind: () => 'openstack',
  files: async () => Object.fromEntries((await readdir(folder)).map((name) => [name, 0])),
  restore: (_, name, to) => copyFile(folder + '/' + name, to),
  readValue: (name) => readFile(folder + '/' + name).catch(() => undefined),
  writeValue: (name, value) => writeFile(folder + '/' + name, value),
}
const call = { args: ['openstack:web'], options: { to: 'glance:', keep: 1 }, json: true, cwd: folder, print: () => {} }
const context = { env: process.env, cacheDir: folder + '/cache', now: Date.now, emit: () => {}, signal: new AbortController().signal }
await makePublish((_call, _context, run) => run(disks)).run(call, context)
`
