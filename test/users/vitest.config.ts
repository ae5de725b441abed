import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

/** What only root can try, and takes long: npm run test:users. */
export default defineConfig({
  root: join(import.meta.dirname, '../..'),
  test: {
    include: ['test/users/**/*.test.ts'],
    hookTimeout: 60_000,
    reporters: ['verbose'],
  },
})
