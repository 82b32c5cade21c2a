import { expect, test } from 'vitest'
import { defineImgfile, isLayer, layer } from '../../../tasks/plan/declare.ts'
import { beginning, errorOf, recipe } from './sample.ts'

const install = layer('install:trixie', beginning())
const here = { path: 'declare.test.ts', line: 1 }

test('a layer has its recipes, its parent and its place', () => {
  const apt = recipe({ name: 'apt' })
  const base = layer('base:trixie', apt, { from: install })
  expect(base.name).toBe('base:trixie')
  expect(base.recipes).toEqual([apt])
  expect(base.from).toBe(install)
  expect(base.declaredAt).toMatch(/\/declare\.test\.ts:10:\d+$/)
  expect(isLayer(base)).toBe(true)
})

test('a layer cannot be changed', () => {
  expect(Object.isFrozen(install)).toBe(true)
  expect(Object.isFrozen(install.recipes)).toBe(true)
})

test('an imgfile holds layers and targets', () => {
  const target = layer('vagrant:base', recipe({ mode: 'export' }), { from: install })
  expect(defineImgfile({ layers: [install], targets: [target] }).layers).toEqual([install, target])
})

const untyped = layer as (...given: unknown[]) => unknown
const notName = {
  code: 'IMGFILE_INVALID',
  wanted: 'kind:name, both of a-z 0-9 . _ - and starting with a letter or digit',
  ...here,
}

test.each([
  ['Role:Ceph Node', 'for example role:ceph-node'],
  ['role', 'write kind:name, for example role:ceph-node'],
  ['role:a:b', 'for example role:a-b'],
  ['', 'write kind:name, for example role:ceph-node'],
  [':x', 'write kind:name, for example role:ceph-node'],
  ['role:-x', 'for example role:x'],
  ['rôle:x', 'for example r-le:x'],
  ['role:x\n', 'for example role:x'],
])('%j is not a layer name', (name, hint) => {
  expect(errorOf(() => untyped(name, beginning()))).toEqual({
    ...notName,
    message: `${JSON.stringify(name)} is not a layer name`,
    found: name,
    hint,
  })
})

test('a name that is no text', () => {
  expect(errorOf(() => untyped(beginning(), 'install:x'))).toEqual({
    ...notName,
    message: 'an object with name, mode, inputs, parent, steps is not a layer name',
    found: 'an object with name, mode, inputs, parent, steps',
    hint: 'write kind:name, for example role:ceph-node',
  })
})

function bootstrap(): void {}

test.each([
  [[undefined], 'the recipe is undefined, not a recipe', 'use one from imgfile/recipes'],
  [[bootstrap], 'the recipe is the function bootstrap, not a recipe', 'call it: bootstrap({ … })'],
  [[[beginning(), null]], 'recipe 2 is null, not a recipe', 'use one from imgfile/recipes'],
  [[[]], 'has no recipe', 'give it one: layer(name, recipe) or layer(name, [first, second])'],
  [[{ name: 'x' }], 'the recipe is an object with name, not a recipe', 'use one from imgfile/recipes'],
  [[Promise.resolve()], 'the recipe is a promise, not a recipe', 'use one from imgfile/recipes'],
  [[install], 'the recipe is the layer install:trixie, not a recipe', 'use one from imgfile/recipes'],
  [
    [[recipe(), beginning()], { from: install }],
    'begin begins a disk, so only the first recipe can be one',
    'put begin first, or into a layer of its own',
  ],
  [
    [beginning(), { from: install }],
    'begin begins a disk, so the layer cannot have a parent',
    'remove from: install:trixie',
  ],
  [
    [recipe()],
    'sample changes the disk of a parent, and there is none',
    'add { from: parent } as third argument',
  ],
  [
    [beginning(), { manual: 'yes' }],
    'manual is the string "yes", not true or false',
    'write manual: true, or remove it',
  ],
  [[recipe(), { from: undefined }], 'from is undefined, not a layer', 'declare the parent before this layer'],
  [
    [recipe(), { from: 'install:trixie' }],
    'from is the string "install:trixie", not a layer',
    'pass the layer itself, not its name',
  ],
  [[recipe(), { form: install }], 'unknown option form', 'did you mean from?'],
  [[recipe(), { memory: 1 }], 'unknown option memory', 'options: from, manual'],
  [
    [recipe(), install],
    'the third argument is the layer install:trixie, not options',
    'write { from: parent }',
  ],
  [
    [recipe(), { from: layer('raw:trixie', recipe({ mode: 'export' }), { from: install }) }],
    'from is the target raw:trixie, which has files and no disk',
    'stand on install:trixie instead, or move what sample does below the target',
  ],
  [
    [recipe({ parent: 'template' }), { from: install }],
    'sample starts from a template, and there is none',
    'add { from: template(parent) } as third argument, or name a source',
  ],
  [[recipe(), 3], 'the options are the number 3, not an object', 'write { from: parent }'],
])('layer refused: %j', (given, message, hint) => {
  expect(errorOf(() => untyped('base:trixie', ...given))).toEqual({
    code: 'IMGFILE_INVALID',
    message: `layer base:trixie: ${message}`,
    layer: 'base:trixie',
    hint,
    ...here,
  })
})

const untypedImgfile = defineImgfile as (options: unknown) => unknown

test.each([
  [undefined, 'expected an object, got undefined', 'write defineImgfile({ layers: [ … ] })'],
  [[install], 'expected an object, got an array', 'write defineImgfile({ layers: [ … ] })'],
  [{}, 'layers must be an array of layers, got undefined', 'write layers: [ … ]'],
  [{ layer: [install] }, 'unknown option layer', 'did you mean layers?'],
  [
    { layers: install },
    'layers must be an array of layers, got the layer install:trixie',
    'write layers: [ … ]',
  ],
  [
    { layers: [install, [install]] },
    'layers[1] is an array, not a layer',
    "make it with layer('kind:name', recipe)",
  ],
  [
    { layers: [], targets: [undefined] },
    'targets[0] is undefined, not a layer',
    "make it with layer('kind:name', recipe)",
  ],
])('imgfile refused: %j', (options, message, hint) => {
  expect(errorOf(() => untypedImgfile(options))).toEqual({
    code: 'IMGFILE_INVALID',
    message: `defineImgfile: ${message}`,
    hint,
    ...here,
  })
})
