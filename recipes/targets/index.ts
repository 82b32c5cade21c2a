// What `imgfile/targets` offers. One file per deployment environment, one line here.

export { containerDisk, type ContainerDiskOptions } from './container-disk.ts'
export { qcow2, type Qcow2Options, raw, vmdk } from './disk.ts'
export { docker, type DockerOptions } from './docker.ts'
export { openstack, type OpenstackOptions } from './openstack.ts'
export { ova, type OvaOptions } from './ova.ts'
export { ramdisk, type RamdiskOptions } from './ramdisk.ts'
export type { TargetOptions } from './target.ts'
export { template, type TemplateOptions } from './template.ts'
export { vagrant, type VagrantOptions } from './vagrant.ts'
