import { defineConfig, type ViteUserConfig } from 'vitest/config'

const source = { resolve: { conditions: ['source'] }, ssr: { resolve: { conditions: ['source'] } } }

/** Real disks and machines: one file at a time. */
const real = {
  globalSetup: ['test/system/setup.ts'],
  testTimeout: 20 * 60_000,
  hookTimeout: 20 * 60_000,
  fileParallelism: false,
}

const config: ViteUserConfig = defineConfig({
  test: {
    projects: [
      {
        ...source,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/cli/**', 'test/system/**', 'test/clients/**', '**/node_modules/**'],
          // No test is about time; a busy machine is no failure.
          testTimeout: 60_000,
        },
      },
      { ...source, test: { name: 'cli', include: ['test/cli/**/*.test.ts'], testTimeout: 60_000 } },
      {
        ...source,
        test: {
          name: 'system',
          include: ['test/system/**/*.test.ts'],
          ...real,
        },
      },
      // Long: what others made of our files, machines that take their time. Not part of `npm test`.
      { ...source, test: { name: 'clients', include: ['test/clients/**/*.test.ts'], ...real } },
    ],
  },
})
export default config
