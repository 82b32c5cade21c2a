import { isOwnTag } from '../../cache/destinations/push-image.ts'
import { ImgError } from '../errors.ts'

/** `--tag`, which may be there several times. */
export function toTags(value: string, previous?: unknown): readonly string[] {
  if (!/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/.test(value)) {
    throw new ImgError('USAGE', `--tag takes letters, digits, _ . and -, not ${value}`, {
      hint: 'write --tag latest',
      found: value,
    })
  }
  if (isOwnTag(value)) {
    throw new ImgError('USAGE', `--tag ${value} is what a push itself gives`, {
      hint: 'revision and key are tags in any case: choose another name',
      found: value,
    })
  }
  return [...((previous as readonly string[] | undefined) ?? []), value]
}
