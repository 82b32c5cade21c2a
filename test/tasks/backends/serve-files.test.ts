import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { serveFiles } from '../../../tasks/backends/serve-files.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

test('gives the files of the folder and no others, and remembers who was asked for', async () => {
  const folder = tempFolder({ 'in/a': 'one', 'in/b/c': 'two' })
  writeFileSync(join(folder, 'outside'), 'secret')
  const server = await serveFiles(join(folder, 'in'))
  onTestFinished(() => server.close())
  const get = async (path: string, method = 'GET'): Promise<readonly unknown[]> => {
    const response = await fetch(`http://127.0.0.1:${server.port}/${path}`, { method })
    return [response.status, response.headers.get('content-length'), await response.text()]
  }
  expect(await get('a')).toEqual([200, '3', 'one'])
  expect(await get('b/c')).toEqual([200, '3', 'two'])
  expect(await get('a', 'HEAD')).toEqual([200, '3', ''])
  expect((await get('none'))[0]).toBe(404)
  expect((await get('..%2Foutside'))[0]).toBe(404)
  expect((await get('b'))[0]).toBe(404)
  expect(server.asked.slice(0, 2)).toEqual(['a', 'b/c'])
})
