import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

/** The tests of what watches the shop, which need Docker: npm run test:monitoring. */
export default defineConfig({
  root: join(import.meta.dirname, '../..'),
  test: {
    include: ['test/monitoring/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // the containers need the machine for themselves
    fileParallelism: false,
    reporters: ['verbose'],
  },
})
