import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{functions,images,compose,knative,events,local,demo,test,bench,docs,grafana}/**/*.test.ts'],
    // need Docker, a cluster, root or minutes: npm run test:compose, test:knative, test:users, test:schema and test:monitoring
    exclude: ['test/compose/**', 'test/knative/**', 'test/users/**', 'test/schema/**', 'test/monitoring/**'],
    globalSetup: ['test/global-setup.ts'],
    // of a busy machine
    testTimeout: 120_000,
    hookTimeout: 180_000,
    // passes as soon as it can; a busy machine takes longer than the default of a second
    expect: { poll: { timeout: 20_000 } },
    // most tests wait more than they compute: for processes, stores and time-outs
    maxWorkers: 4,
    // a file shares its modules with those before it: loading them costs more than most tests
    isolate: false,
    reporters: ['default'],
  },
})
