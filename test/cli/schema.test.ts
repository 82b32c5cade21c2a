// What --json prints is what docs/schema says, and nothing more.

import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import { plainImgfile, testProject, type TestProject } from '../rig/project.ts'

function validate(name: string, value: unknown): void {
  const path = new URL(`../../docs/schema/${name}.json`, import.meta.url)
  const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true })
  const check = ajv.compile(JSON.parse(readFileSync(path, 'utf8')) as object)
  check(value)
  expect(check.errors ?? []).toEqual([])
}

const project = (): TestProject => testProject({ 'imgfile.ts': plainImgfile, 'files/a': 'one\n' })

test.each([
  ['plan', ['plan']],
  ['why', ['why', 'base:a']],
  ['ls', ['ls']],
  ['graph', ['graph']],
  ['runs', ['runs']],
  ['completion', ['completion', 'layers']],
  ['completion', ['completion', 'fish']],
  ['update', ['update', '--dry-run']],
])('%s', async (schema, args) => {
  const { status, stdout, stderr } = await project().img([...args, '--json'])
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  validate(schema, JSON.parse(stdout))
})

test('error', async () => {
  const { status, stderr } = await project().img(['plan', 'base:b', '--json'])
  expect(status).toBe(2)
  validate('error', JSON.parse(stderr))
})

test('diff and compare of image files, without root', async () => {
  const { root, img } = project()
  for (const name of ['a', 'b']) {
    const tree = join(root, name)
    for (const folder of ['etc', 'usr']) mkdirSync(join(tree, folder), { recursive: true })
    writeFileSync(join(tree, 'etc/motd'), `${name}\n`)
    writeFileSync(join(tree, 'etc/same'), 'same\n')
    execFileSync('/sbin/mke2fs', ['-q', '-t', 'ext4', '-d', tree, join(root, `${name}.img`), '4M'])
  }
  const diff = await img(['diff', 'a.img', 'b.img', '--json'])
  expect({ status: diff.status, stderr: diff.stderr }).toEqual({ status: 0, stderr: '' })
  validate('diff', JSON.parse(diff.stdout))
  expect(JSON.parse(diff.stdout)).toMatchObject({
    files: [{ path: 'etc/motd', what: ['content'], lines: ['@@ line 1', '-a', '+b'] }],
  })
  const differs = await img(['compare', 'a.img', 'b.img', '--json'])
  expect(differs.status).toBe(1)
  validate('compare', JSON.parse(differs.stdout))
  const same = await img(['compare', 'a.img', 'a.img'])
  expect(same).toEqual({ status: 0, stdout: 'a.img and a.img are the same\n', stderr: '' })
})
