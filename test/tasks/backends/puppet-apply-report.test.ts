import { describe, expect, test } from 'vitest'
import type { ImgError } from '../../../tasks/errors.ts'
import { checkReport, readReport } from '../../../tasks/backends/puppet-apply-report.ts'

interface Resource {
  readonly resource: string
  readonly failed: boolean
  readonly changed: boolean
  readonly skipped: boolean
  readonly messages: readonly string[]
}

const fine = resource('File[/etc/motd]', { changed: true })
const same = resource('Service[ssh]')
const broken = resource('Package[nope]', {
  failed: true,
  messages: ['Execution of "/usr/bin/apt-get install nope" returned 100: E: Unable to locate package nope'],
})
const after = resource('File[/etc/nope.conf]', { skipped: true })

const about = { layer: 'role:web', locations: { 'Package[nope]': 'puppet/site-modules/profile/web.pp:12' } }

describe('success', () => {
  test.each(['changed', 'unchanged'])('a run with status %s', (status) => {
    const report = { status, resources: 2, failed: [], changed: ['File[/etc/motd]'], skipped: [], errors: [] }
    expect(readReport(textOf(status, [fine, same]))).toEqual(report)
    expect(checkReport(textOf(status, [fine, same]), about)).toEqual(report)
  })
})

test('resources the report leaves out, since they were as they should be, are counted', () => {
  const text = JSON.stringify({ status: 'changed', total: 41, resources: [fine], errors: [] })
  expect(readReport(text)).toMatchObject({ resources: 41, changed: ['File[/etc/motd]'] })
})

describe('failure', () => {
  test('names the resource, its place and the message', () => {
    const error = failure(textOf('failed', [fine, broken, after]))
    expect(error.code).toBe('PUPPET_FAILED')
    expect(error.message).toBe(
      'puppet could not apply Package[nope] (puppet/site-modules/profile/web.pp:12): Execution of "/usr/bin/apt-get install nope" returned 100: E: Unable to locate package nope',
    )
    expect(error.fields).toEqual({
      hint: 'correct the resource or what it needs; `img log role:web` shows the whole run',
      path: 'puppet/site-modules/profile/web.pp',
      line: 12,
      found: 'Package[nope]',
      layer: 'role:web',
      output: 'last lines',
    })
  })

  test('counts the others', () => {
    const other = resource('Exec[x]', { failed: true, messages: ['exit 1'] })
    expect(failure(textOf('failed', [other, broken, broken])).message).toBe(
      'puppet could not apply Exec[x]: exit 1, and 2 more failed',
    )
  })

  test('a failed resource counts whatever the status says', () => {
    expect(failure(textOf('changed', [broken])).code).toBe('PUPPET_FAILED')
  })

  test('a resource without events is explained by its log', () => {
    const mute = resource('Service[x]', { failed: true })
    const log = { source: '/Stage[main]/Web/Service[x]', message: 'Could not evaluate: no provider' }
    expect(failure(textOf('failed', [mute], [log])).message).toBe(
      'puppet could not apply Service[x]: Could not evaluate: no provider',
    )
  })

  test('of the catalog as a whole', () => {
    const log = { source: 'Puppet', message: 'Could not find type img_none' }
    expect(failure(textOf('failed', [], [log])).message).toBe(
      'puppet could not apply the catalog: Could not find type img_none',
    )
    expect(failure(textOf('failed', [])).message).toBe(
      'puppet could not apply the catalog: its report has status failed and names no resource',
    )
  })

  test('no report at all', () => {
    const error = failure(undefined)
    expect(error.message).toBe('puppet ended without a report')
    expect(error.fields.hint).toBe('`img log role:web` shows how far it came')
  })

  test.each(['', '{"status":"chan', 'null', '{}', textOf('odd', [])])('a report that is none: %j', (text) => {
    expect(readReport(text).status).toBe('failed')
    expect(failure(text).code).toBe('PUPPET_FAILED')
  })
})

function resource(name: string, over: Partial<Resource> = {}): Resource {
  return { resource: name, failed: false, changed: false, skipped: false, messages: [], ...over }
}

function textOf(status: string, resources: readonly Resource[], errors: readonly object[] = []): string {
  return JSON.stringify({ status, resources, errors })
}

function failure(text: string | undefined): ImgError {
  try {
    checkReport(text, { ...about, output: 'last lines' })
  } catch (error) {
    return error as ImgError
  }
  throw new Error('the report was taken for a success')
}
