import { defineConfig } from 'vitest/config'

/**
 * The files in which timers or the clock are fake for a time. Each has a process of its own. Whatever else runs in the
 * process, such as the shop that other files of the worker share, would wait forever for a timer that it set meanwhile,
 * and give later things ids of earlier times.
 */
export const withFakeTimers = [
  'demo/client/client.test.ts',
  'demo/scale/load.test.ts',
  'demo/scale/run.test.ts',
  'events/gather.test.ts',
  'events/groups.test.ts',
  'functions/payments/receive-payment-webhook.test.ts',
  'functions/shared/http/app.test.ts',
  'functions/users/attempts.test.ts',
]

const each = {
  // of a busy machine
  testTimeout: 120_000,
  hookTimeout: 180_000,
  // passes as soon as it can; a busy machine takes longer than the default of a second
  expect: { poll: { timeout: 20_000 } },
}

export default defineConfig({
  test: {
    // once for all projects
    globalSetup: ['test/global-setup.ts'],
    // most tests wait more than they compute: for processes, stores and time-outs
    maxWorkers: 4,
    reporters: ['default'],
    projects: [
      {
        test: {
          ...each,
          name: 'shop',
          include: [
            '{functions,images,compose,knative,events,local,demo,test,bench,docs,grafana}/**/*.test.ts',
          ],
          exclude: [
            // need Docker, a cluster, root or minutes: npm run test:compose, test:knative, test:users, test:schema and test:monitoring
            'test/{compose,knative,users,schema,monitoring}/**',
            ...withFakeTimers,
          ],
          // a file shares its modules with those before it: loading them costs more than most tests
          isolate: false,
        },
      },
      { test: { ...each, name: 'fake timers', include: withFakeTimers } },
    ],
  },
})
