// What `imgfile/recipes` offers.

export { bootstrap, type BootstrapOptions } from './bootstrap.ts'
export { tools, type ToolsOptions } from './tools.ts'
