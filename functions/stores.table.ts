import { domainNames, domains } from './table.ts'

/** Which store each domain lives in, for the migration and the relay. */
export const stores = domainNames.map((domain) => ({
  domain: domain as string,
  store: domains[domain].store,
  outboxes: domains[domain].outboxes ?? [],
}))
