import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { findProgram } from '../../../tasks/run/find-program.ts'
import { fakePrograms } from '../../rig/fake-programs.ts'

it('finds the first executable file of the name', () => {
  const { folder } = fakePrograms({ tool: '' })
  writeFileSync(join(folder, 'text'), '', { mode: 0o644 })
  expect(findProgram('tool', `/nowhere:${folder}`)).toBe(join(folder, 'tool'))
  expect(findProgram('text', folder)).toBe(undefined)
  expect(findProgram('missing', folder)).toBe(undefined)
  expect(findProgram(folder)).toBe(undefined)
  expect(findProgram(join(folder, 'text'), '', 'file')).toBe(join(folder, 'text'))
  expect(findProgram(join(folder, 'missing'), '', 'file')).toBe(undefined)
})
