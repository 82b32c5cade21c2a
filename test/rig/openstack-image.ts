// Images as the openstack target makes them, of any bytes as disk.

import { openstack } from '../../recipes/targets/openstack.ts'
import { debian, parentLayer } from '../recipes/targets/parent-layer.ts'
import { madeFiles } from './made-files.ts'
import { type Content, sha256 } from './target-content.ts'

const role = parentLayer('role:web', { debian, bios: true, grows: true } as const)

export const makeOpenstackImage = (disk: Buffer | string, key = sha256(disk)): Promise<Content> =>
  madeFiles(openstack(role, { properties: { hw_watchdog_action: 'reset' } }), {
    files: { 'disk.qcow2': disk },
    key,
  })
