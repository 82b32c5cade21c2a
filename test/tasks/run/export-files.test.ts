import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exportFiles } from '../../../tasks/run/export-files.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

test('a folder that cannot be made is said so', async () => {
  const to = join(tempFolder(), 'missing', 'out')
  await expect(exportFiles({ names: ['a'], restore, to })).rejects.toMatchObject({
    code: 'PERMISSION',
    message: `cannot write ${to}`,
    fields: { hint: 'check that the folder above it exists and may be written', path: to },
  })
})

const restore = (_: string, file: string): Promise<void> => Promise.resolve(writeFileSync(file, ''))
