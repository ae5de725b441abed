import { functions, stores, type Domain, type FunctionName } from '../functions/functions.ts'

export type ServiceName = keyof typeof services
export type ImageName = FunctionName | ServiceName | Domain

/** What runs beside the functions: the file that starts it, as imported by functions/main.ts; a `job` ends. */
export const services = {
  relay: { source: 'events/relay-main.ts', summary: 'Publishes the events of committed changes' },
  dispatcher: { source: 'events/dispatcher-main.ts', summary: 'Delivers events to the reactions' },
  'payment-sandbox': {
    source: 'functions/payments/sandbox/main.ts',
    summary: 'The payment provider’s stand-in',
  },
  migrate: {
    source: 'functions/migrate-main.ts',
    summary: 'Brings the stores up to this version',
    job: true,
  },
} as const

export const domains = Object.keys(stores) as Domain[]
export const functionNames = Object.keys(functions) as FunctionName[]
export const serviceNames = Object.keys(services) as ServiceName[]

/** Every image that is made from the bundle; the gateway's is not. */
export const imageNames: readonly ImageName[] = [...functionNames, ...serviceNames, ...domains]
