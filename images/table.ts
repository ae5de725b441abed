import { domainNames, domainsIn, functions, type Domain, type FunctionName } from '../functions/table.ts'

export type ServiceName = keyof typeof services
export type ImageName = FunctionName | ServiceName | Domain

/**
 * The services that run beside the functions. `source` is the file that starts the service, and that
 * functions/main.ts imports. A `job` ends by itself. `loads` lists the files that it imports by a computed
 * path.
 */
export const services = {
  relay: { source: 'events/relay-main.ts', summary: 'Publishes the events of committed changes', loads: [] },
  dispatcher: { source: 'events/dispatcher-main.ts', summary: 'Delivers events to the reactions', loads: [] },
  'payment-sandbox': {
    source: 'functions/payments/sandbox/main.ts',
    summary: 'Stands in for a payment provider',
    loads: [],
  },
  migrate: {
    source: 'functions/migrate-main.ts',
    summary: 'Migrates the stores to this version',
    job: true,
    loads: [
      'demo/seed.ts',
      'functions/users/admin-job.ts',
      'functions/books/check-books.ts',
      ...domainsIn('mongodb').map((domain) => `functions/${domain}/migrations/index.ts`),
    ],
  },
} as const

export { domainNames as domains }
export const functionNames = Object.keys(functions) as FunctionName[]
export const serviceNames = Object.keys(services) as ServiceName[]

/** The names of all images that are made from the bundle. The gateway's is not. */
export const imageNames: readonly ImageName[] = [...functionNames, ...serviceNames, ...domainNames]

/** How many images are built at once. If they are many more, BuildKit forgets some before it begins with them. */
export const atOnce = 40
