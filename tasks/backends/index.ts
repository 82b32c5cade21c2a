// Every backend there is, in the order in which they are preferred. A new one is one new file and one line here.

import type { Backend } from './backend.ts'
import { exportBackend } from './export.ts'
import { libguestfsBackend } from './libguestfs.ts'
import { libvirtBackend } from './libvirt.ts'
import type { NamespaceStandby } from './namespace-standby.ts'
import { namespaceBackend } from './namespace.ts'
import { qemuBackend } from './qemu.ts'

export const backends = (standby?: NamespaceStandby): readonly Backend[] => [
  namespaceBackend(standby),
  libguestfsBackend(),
  qemuBackend(),
  libvirtBackend(),
  exportBackend(),
]
