import { expect, test } from 'vitest'
import { toEndingError } from '../../../tasks/backends/run-image.ts'

test('a machine that died says how, what to do, and what its console showed last', () => {
  const error = toEndingError(
    { kind: 'died', how: 'ended with 1', stderr: 'cannot set up guest memory' },
    { layer: 'role:a', output: 'qemu: no memory' },
  )
  expect({ ...error.fields, code: error.code, message: error.message }).toMatchInlineSnapshot(`
    {
      "code": "LAYER_FAILED",
      "hint": "run \`img doctor\`",
      "layer": "role:a",
      "message": "the machine of role:a was lost: qemu ended with 1: cannot set up guest memory",
      "output": "qemu: no memory",
    }
  `)
})
