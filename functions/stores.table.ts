import { domainNames, domains } from './table.ts'

/** The store and outboxes of each domain, for the migration and the relay. */
export const stores = domainNames.map((domain) => ({
  domain: domain as string,
  store: domains[domain].store,
  outboxes: domains[domain].outboxes ?? [],
}))
