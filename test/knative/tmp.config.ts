import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

/** What needs a cluster with Knative: npm run test:knative. */
export default defineConfig({
  root: join(import.meta.dirname, '../..'),
  test: {
    include: ['test/knative/**/*.test.ts'],
    
    testTimeout: 180_000,
    hookTimeout: 600_000,
    // they share one shop
    fileParallelism: false,
    reporters: ['verbose'],
  },
})
