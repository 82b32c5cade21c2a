import { ImgError } from '../errors.ts'
import type { LayerDisks } from '../run/layer-disks.ts'
import type { Call } from './command.ts'

/** The one layer the first argument means. */
export async function onlyLayer(disks: LayerDisks, call: Call): Promise<string> {
  const [selector = ''] = call.args
  const names = await disks.select([selector])
  const [layer] = names
  if (layer !== undefined && names.length === 1) return layer
  throw new ImgError('USAGE', `${selector} means ${names.length} layers, and this command takes one`, {
    hint: 'name one of them',
    found: selector,
    validOptions: names,
  })
}
