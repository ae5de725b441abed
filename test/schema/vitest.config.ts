import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

/** Takes minutes: npm run test:schema. */
export default defineConfig({
  root: join(import.meta.dirname, '../..'),
  test: {
    include: ['test/schema/**/*.test.ts'],
    testTimeout: 240_000,
    hookTimeout: 240_000,
    reporters: ['verbose'],
  },
})
