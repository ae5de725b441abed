import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { include: ['test/monitoring/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000 },
})
