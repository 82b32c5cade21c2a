import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  loadHistory,
  noteReplaced,
  oldFiles,
  renderHistory,
  type History,
} from '../../../cache/repository/history.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

const files = (revisions: Readonly<Record<string, number>>): History => ({
  format: 1,
  files: Object.fromEntries(
    Object.entries(revisions).map(([name, revision]) => [name, { template: name.split('-')[0]!, revision }]),
  ),
})

test('a file is old when others of its template replaced it later, and long enough ago', () => {
  const history = noteReplaced(files({ 'a-1': 1, 'a-2': 2, 'a-3': 3, 'b-1': 1 }), new Set(['a-3']), 1000)
  const at = (now: number): readonly string[] => oldFiles(history, { keep: 1, grace: 100, now })
  expect(at(1099)).toEqual([])
  expect(at(1100)).toEqual(['a-1'])
  expect(oldFiles(history, { keep: 0, grace: 0, now: 1000 }).toSorted()).toEqual(['a-1', 'a-2', 'b-1'])
})

test('a file that is named again is not replaced any more', () => {
  const gone = noteReplaced(files({ 'a-1': 1 }), new Set(), 5)
  expect(gone.files['a-1']).toEqual({ template: 'a', revision: 1, replaced: 5 })
  expect(noteReplaced(gone, new Set(), 9)).toEqual(gone)
  expect(noteReplaced(gone, new Set(['a-1']), 9)).toEqual(files({ 'a-1': 1 }))
})

test('it is read back as written, and nothing else is taken for it', async () => {
  const history = noteReplaced(files({ 'a-1': 1 }), new Set(), 5)
  const folder = tempFolder({
    good: renderHistory(history),
    cut: '{"format":1,',
    path: '{"format":1,"files":{"../x":{}}}',
  })
  expect(await loadHistory(join(folder, 'good'))).toEqual(history)
  expect(await loadHistory(join(folder, 'absent'))).toEqual({ format: 1, files: {} })
  for (const name of ['cut', 'path']) {
    await expect(loadHistory(join(folder, name))).rejects.toMatchObject({
      code: 'REPOSITORY_INVALID',
      message: `${join(folder, name)} is no list of published files`,
      fields: { hint: 'remove it: old template files are then kept for ever, and nothing else is lost' },
    })
  }
})
