import { runInThisContext } from 'node:vm'
import { expect, test } from 'vitest'
import { capturePlace, placeFields, relativePlace } from '../../../tasks/plan/place.ts'

function declared(): string | undefined {
  return capturePlace(declared)()
}

test('the place is where the function was called', () => {
  const place = declared()
  expect(place).toMatch(/^\/.*\/test\/tasks\/plan\/place\.test\.ts:10:\d+$/)
})

test('the place survives other functions in between', () => {
  const [place] = [0].map(() => declared())
  expect(place).toMatch(/place\.test\.ts:15:\d+$/)
})

test('a function in a package declares for its caller', () => {
  const filename = '/home/me/images/node_modules/site-images/index.js'
  const wrapped = runInThisContext('(declare) => declare()', { filename }) as (
    declare: () => unknown,
  ) => unknown
  expect(wrapped(declared)).toMatch(/place\.test\.ts:24:\d+$/)
})

test.each([
  ['/home/me/images/imgfile.ts:12:3', '/home/me/images', 'imgfile.ts:12:3'],
  ['/home/me/images/sub/roles.ts:1:1', '/home/me/images/', 'sub/roles.ts:1:1'],
  ['/home/me/images2/imgfile.ts:12:3', '/home/me/images', '/home/me/images2/imgfile.ts:12:3'],
  ['/x/imgfile.ts:12:3', undefined, '/x/imgfile.ts:12:3'],
  [undefined, '/x', undefined],
])('%s under %s is %s', (place, root, relative) => {
  expect(relativePlace(place, root)).toBe(relative)
})

test('a place taken apart', () => {
  expect(placeFields('/a:b/imgfile.ts:12:3')).toEqual({ path: '/a:b/imgfile.ts', line: 12 })
  expect(placeFields(undefined)).toEqual({})
})
