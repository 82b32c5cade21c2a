// Compiles to dist/ and makes the binary executable; runs from npm's `prepare` and before the tests.
import { execFileSync } from 'node:child_process'
import { chmodSync, rmSync } from 'node:fs'

rmSync('dist', { recursive: true, force: true })
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '--noEmit', 'false', '--outDir', 'dist'], {
  stdio: 'inherit',
})
chmodSync('dist/tasks/cli.js', 0o755)
