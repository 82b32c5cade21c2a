// What an imgfile imports: `import { defineImgfile, layer } from 'imgfile'`.

export { defineImgfile, layer, type ImgfileOptions, type LayerOptions } from './plan/declare.ts'
export { secret, type Secret, type SecretSource } from './plan/secret.ts'
export { ImgError, type ErrorCode, type ErrorFields } from './errors.ts'
export type {
  AptInput,
  CatalogFacts,
  CatalogInput,
  Facts,
  Imgfile,
  InputDeclaration,
  Layer,
  LayerName,
  Recipe,
  ScriptFunction,
  Traits,
} from './plan/recipe.ts'
export type { JsonValue, Mode, Step, StepOf } from './plan/step.ts'
export type { DiskLayout, Partition } from './plan/disk-layout.ts'
