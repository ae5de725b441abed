import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

/** The tests that need Docker: npm run test:compose. */
export default defineConfig({
  root: join(import.meta.dirname, '../..'),
  test: {
    include: ['test/compose/**/*.test.ts'],
    globalSetup: ['test/compose/global-setup.ts'],
    testTimeout: 180_000,
    hookTimeout: 600_000,
    // the test files share one shop
    fileParallelism: false,
    reporters: ['verbose'],
  },
})
