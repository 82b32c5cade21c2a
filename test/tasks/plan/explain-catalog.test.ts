import { expect, test } from 'vitest'
import { renderChange } from '../../../tasks/plan/change.ts'
import { explainCatalog } from '../../../tasks/plan/explain-catalog.ts'
import type { JsonValue } from '../../../tasks/plan/step.ts'

const file = (title: string, parameters: JsonValue = { ensure: 'file', content: 'a' }): JsonValue => ({
  type: 'File',
  title,
  tags: ['file', 'class'],
  parameters,
})
const catalog = { name: 'n', classes: ['settings'], edges: [], resources: [file('/a'), file('/b')] }

test.each<[string, JsonValue, string[]]>([
  ['nothing', catalog, []],
  [
    'nothing but the order of keys',
    {
      ...catalog,
      resources: [file('/a', { content: 'a', ensure: 'file' }), file('/b')],
    },
    [],
  ],
  [
    'a parameter',
    { ...catalog, resources: [file('/a', { ensure: 'file', content: 'b' }), file('/b')] },
    ['catalog: File[/a] content changed'],
  ],
  [
    'a parameter added and one removed',
    { ...catalog, resources: [file('/a'), file('/b', { content: 'a', mode: '0600' })] },
    ['catalog: File[/b] mode, ensure changed'],
  ],
  [
    'tags',
    { ...catalog, resources: [{ ...(file('/a') as object), tags: [] }, file('/b')] },
    ['catalog: File[/a] tags changed'],
  ],
  [
    'a resource more',
    { ...catalog, resources: [file('/a'), file('/c'), file('/b')] },
    ['catalog: File[/c] added'],
  ],
  ['a resource less', { ...catalog, resources: [file('/b')] }, ['catalog: File[/a] removed']],
  [
    'the order',
    { ...catalog, resources: [file('/b'), file('/a')] },
    ['catalog: resources are in another order'],
  ],
  [
    'other parts',
    { ...catalog, edges: [{ source: 'a', target: 'b' }], classes: ['settings', 'x'] },
    ['catalog: classes changed', 'catalog: relationships changed'],
  ],
  ['all of it', 'text', ['catalog: form changed']],
])('%s', (_, now, words) => {
  expect(explainCatalog(catalog, now).map(renderChange)).toEqual(words)
})
