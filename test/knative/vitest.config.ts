import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

/** The tests that need a cluster with Knative: npm run test:knative. */
export default defineConfig({
  root: join(import.meta.dirname, '../..'),
  test: {
    include: ['test/knative/**/*.test.ts'],
    globalSetup: ['test/knative/global-setup.ts'],
    testTimeout: 300_000,
    hookTimeout: 600_000,
    // the test files share one shop
    fileParallelism: false,
    reporters: ['verbose'],
  },
})
