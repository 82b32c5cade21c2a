// What `imgfile/recipes` offers.

export { apt, type AptOptions } from './apt.ts'
export type { Archives } from './archives.ts'
export { bootstrap, type BootstrapOptions } from './bootstrap.ts'
export { files, type FilesOptions } from './files.ts'
export { firstboot, type FirstbootOptions } from './firstboot.ts'
export { hostname, type HostnameOptions } from './hostname.ts'
export { install, type InstallOptions } from './install.ts'
export { puppet, type PuppetOptions } from './puppet.ts'
export { run, type RunOptions } from './run.ts'
export { script, type ScriptOptions } from './script.ts'
export { tools, type ToolsOptions } from './tools.ts'
export { users, type User, type UsersOptions } from './users.ts'
