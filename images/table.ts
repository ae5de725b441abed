import { domainNames, domainsIn, functions, type Domain, type FunctionName } from '../functions/table.ts'

export type ServiceName = keyof typeof services
export type ImageName = FunctionName | ServiceName | Domain

/**
 * What runs beside the functions: the file that starts it, as functions/main.ts imports it; a `job` ends. `loads` is
 * what it loads by a computed path.
 */
export const services = {
  relay: { source: 'events/relay-main.ts', summary: 'Publishes the events of committed changes', loads: [] },
  dispatcher: { source: 'events/dispatcher-main.ts', summary: 'Delivers events to the reactions', loads: [] },
  'payment-sandbox': {
    source: 'functions/payments/sandbox/main.ts',
    summary: 'The payment provider’s stand-in',
    loads: [],
  },
  migrate: {
    source: 'functions/migrate-main.ts',
    summary: 'Brings the stores up to this version',
    job: true,
    loads: [
      'demo/seed.ts',
      ...domainsIn('mongodb').map((domain) => `functions/${domain}/migrations/index.ts`),
    ],
  },
} as const

export { domainNames as domains }
export const functionNames = Object.keys(functions) as FunctionName[]
export const serviceNames = Object.keys(services) as ServiceName[]

/** Every image that is made from the bundle; the gateway's is not. */
export const imageNames: readonly ImageName[] = [...functionNames, ...serviceNames, ...domainNames]
